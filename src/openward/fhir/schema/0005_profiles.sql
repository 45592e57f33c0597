-- Implementation guides that a site installed: their profiles as facts, their value sets as codes, ready to be checked against.
--
-- The same guides' resources stand in the record besides. `guide` is `package#version`.

create table fhir.guide (
  tenant int not null,
  guide text not null,
  number int not null,             -- counts up: of two guides that define the same address, the later one is meant
  installed timestamptz not null default now(),
  title text not null,
  resources text[] not null,       -- `Type/id` of what was stored in the record with it
  primary key (tenant, guide)
);

create table fhir.guide_profile (
  tenant int not null,
  guide text not null,
  url text not null,
  facts text not null,             -- openward.fhir.profiles.facts.Profile as JSON
  primary key (tenant, guide, url)
);

create table fhir.guide_codes (
  tenant int not null,
  guide text not null,
  value_set text not null,
  codes text not null,             -- openward.fhir.profiles.expansions.Codes as JSON
  primary key (tenant, guide, value_set)
);

-- One row a tenant, raised by every change, by which a process sees that what it has compiled is out of date.
create table fhir.guide_revision (
  tenant int not null primary key,
  revision bigint not null
);
