-- Terminology: what CodeSystem, ValueSet and ConceptMap resources and licensed releases say, by the code. `tenant` 0 is shared by all tenants.

-- Every such resource by its canonical address. kind: S code system, V value set, M concept map. `id` keys its rows below.
-- body: its text where it is not a resource of the record (rkey null); `tx` changes with every write, so that caches know.
-- state: l while its concepts are being loaded, r when they are all there. about: what is needed without reading the body.
create table fhir.canonical (
  tenant int not null,
  kind "char" not null check (kind in ('S', 'V', 'M')),
  id bigint not null,
  url text not null,
  version text,
  rkey uuid,
  source text not null default '',
  state "char" not null default 'r' check (state in ('l', 'r')),
  concepts int not null default 0,
  about jsonb not null default '{}',
  body text,
  tx xid8 not null default pg_current_xact_id(),
  at timestamptz not null default now(),
  primary key (tenant, kind, id)
);
create index canonical_by_url on fhir.canonical (tenant, kind, url);

-- ord: the order in the code system. Codes that differ in case are different rows.
create table fhir.concept (
  tenant int not null,
  cs bigint not null,
  code text collate "C" not null,
  ord int not null,
  display text,
  definition text,
  inactive boolean not null default false,
  abstract boolean not null default false,
  primary key (tenant, cs, code)
);
create index concept_by_order on fhir.concept (tenant, cs, ord);
create index concept_by_word on fhir.concept using gin (to_tsvector('simple', coalesce(display, '')));
create index concept_by_folded on fhir.concept (tenant, cs, lower(code) collate "C");

-- Other names. key: the number the release itself gives the name, so that loading it again adds nothing.
create table fhir.designation (
  tenant int not null,
  cs bigint not null,
  code text collate "C" not null,
  key text collate "C" not null,
  language text,
  use_system text,
  use_code text,
  use_display text,
  value text not null,
  primary key (tenant, cs, code, key)
);
create index designation_by_word on fhir.designation using gin (to_tsvector('simple', value));

create table fhir.concept_property (
  tenant int not null,
  cs bigint not null,
  code text collate "C" not null,
  property text collate "C" not null,
  kind text not null,
  value text not null
);
create unique index concept_property_once on fhir.concept_property (tenant, cs, code, property, md5(value));
create index concept_property_by_value on fhir.concept_property (tenant, cs, property, (left(value, 100)) collate "C", code);

-- The direct parents; what subsumes what is walked along them, both ways by an index.
create table fhir.concept_parent (
  tenant int not null,
  cs bigint not null,
  code text collate "C" not null,
  parent text collate "C" not null,
  primary key (tenant, cs, code, parent)
);
create index concept_parent_down on fhir.concept_parent (tenant, cs, parent, code);

-- The mappings of concept maps. rest: dependsOn, product, comment, target display, as in the resource.
create table fhir.mapping (
  tenant int not null,
  cm bigint not null,
  ord int not null,
  source text not null,
  target text not null,
  code text collate "C" not null,
  to_code text collate "C",
  equivalence text not null,
  rest jsonb not null default '{}',
  primary key (tenant, cm, ord)
);
create index mapping_by_code on fhir.mapping (tenant, code, source);
create index mapping_by_target on fhir.mapping (tenant, to_code, target) where to_code is not null;

-- How far a release has been loaded, by file: `position` lines are in the tables, in the same transaction.
create table fhir.terminology_load (
  tenant int not null,
  cs bigint not null,
  part text not null,
  digest text not null,
  position bigint not null default 0,
  done boolean not null default false,
  primary key (tenant, cs, part)
);

-- What one part of a release needs to know of another while loading; emptied when the release is in.
create table fhir.terminology_staged (
  tenant int not null,
  cs bigint not null,
  kind "char" not null,
  key text collate "C" not null,
  value text not null,
  primary key (tenant, cs, kind, key)
);

-- $closure: what a client has sent by name, and what was said of it in which version.
create table fhir.closure (
  tenant int not null,
  name text collate "C" not null,
  owner text not null,
  version int not null,
  primary key (tenant, owner, name)
);
create table fhir.closure_concept (
  tenant int not null,
  owner text not null,
  name text collate "C" not null,
  system text not null,
  code text collate "C" not null,
  display text,
  primary key (tenant, owner, name, system, code)
);
create table fhir.closure_entry (
  tenant int not null,
  owner text not null,
  name text collate "C" not null,
  version int not null,
  system text not null,
  code text collate "C" not null,
  to_system text not null,
  to_code text collate "C" not null,
  equivalence text not null,
  primary key (tenant, owner, name, system, code, to_system, to_code)
);
