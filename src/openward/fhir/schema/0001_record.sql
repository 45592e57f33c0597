-- The record. PostgreSQL 15-18, core features only (no contrib), `tenant` first in every key, no foreign keys, no sequences in keys.
--
-- Applied in the order of the file names by openward.record's migration; nothing here may depend on the search path.
-- `rtype` is the position of the resource type in openward.fhir.definitions.RESOURCE_TYPES; `rkey` is openward.fhir.ids.key(type, id).

create schema if not exists fhir;

-- Append-only: the exact bytes of every version. read, vread, history, _since, _lastUpdated and export are answered from here.
-- A deletion is a version without a body. `id` is null when it is the text of `rkey` (every id this server assigns, and every UUID).
create table fhir.body (
  tenant int not null,
  rtype smallint not null,
  rkey uuid not null,
  ver int not null,
  tx xid8 not null default pg_current_xact_id(),
  ts timestamptz not null,
  op "char" not null check (op in ('C', 'U', 'D')),
  patient uuid,
  id text,
  body text,
  check ((op = 'D') = (body is null)),
  primary key (tenant, rtype, rkey, ver)
) with (autovacuum_vacuum_insert_scale_factor = 0.2);

-- lz4 packs and unpacks several times faster than pglz, but a server may be built without it (the embedded one is).
do $$ begin
  alter table fhir.body alter column body set compression lz4;
exception when feature_not_supported then null;
end $$;

-- History, _lastUpdated and export windows, newest first or oldest first. A commit may arrive with an older time than one already seen,
-- so a reader that must miss nothing stops at `tx < pg_snapshot_xmin(pg_current_snapshot())`.
create index body_log on fhir.body (tenant, rtype, ts, rkey, ver) include (tx);
alter table fhir.body alter column patient set statistics 1000;

-- One narrow row per live resource. `ver` and `last_updated` are in no index, so that an update that changes no search value stays HOT.
-- patient: the Patient whose compartment it is in (a Patient: itself). date_lo/date_hi: the leading date, half-open; both -infinity when
-- there is none. code: the hash of the leading token's first coding. tok: the hash of every token and uri, sorted.
-- has: the numbers of the parameters it has a value for, for `:missing`.
create table fhir.current (
  tenant int not null,
  rtype smallint not null,
  rkey uuid not null,
  ver int not null,
  last_updated timestamptz not null,
  patient uuid,
  date_lo timestamptz not null default '-infinity',
  date_hi timestamptz not null default '-infinity',
  code bigint,
  tok bigint[] not null default '{}',
  has int[] not null default '{}',
  primary key (tenant, rtype, rkey)
) partition by list (rtype);

create table fhir.current_appointment partition of fhir.current for values in (4) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);  -- Appointment
create table fhir.current_care_plan partition of fhir.current for values in (13) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);  -- CarePlan
create table fhir.current_claim partition of fhir.current for values in (18) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);  -- Claim
create table fhir.current_communication partition of fhir.current for values in (22) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);  -- Communication
create table fhir.current_condition partition of fhir.current for values in (27) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);  -- Condition
create table fhir.current_diagnostic_report partition of fhir.current for values in (39) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);  -- DiagnosticReport
create table fhir.current_document_reference partition of fhir.current for values in (41) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);  -- DocumentReference
create table fhir.current_encounter partition of fhir.current for values in (43) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);  -- Encounter
create table fhir.current_explanation_of_benefit partition of fhir.current for values in (52) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);  -- ExplanationOfBenefit
create table fhir.current_immunization partition of fhir.current for values in (61) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);  -- Immunization
create table fhir.current_medication_administration partition of fhir.current for values in (75) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);  -- MedicationAdministration
create table fhir.current_medication_request partition of fhir.current for values in (78) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);  -- MedicationRequest
create table fhir.current_observation partition of fhir.current for values in (95) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);  -- Observation
create table fhir.current_patient partition of fhir.current for values in (102) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);  -- Patient
create table fhir.current_procedure partition of fhir.current for values in (109) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);  -- Procedure
create table fhir.current_provenance partition of fhir.current for values in (110) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);  -- Provenance
create table fhir.current_service_request partition of fhir.current for values in (123) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);  -- ServiceRequest
create table fhir.current_task partition of fhir.current for values in (139) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);  -- Task
create table fhir.current_other partition of fhir.current default with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);

create index current_by_patient on fhir.current (tenant, rtype, patient, date_lo desc, rkey desc) where patient is not null;
create index current_by_code on fhir.current (tenant, rtype, code, date_lo desc, rkey desc) where code is not null;
create index current_by_date on fhir.current (tenant, rtype, date_lo desc, rkey desc);
create index current_by_tok on fhir.current using gin (tok) with (fastupdate = off);
alter table fhir.current alter column patient set statistics 1000;
alter table fhir.current alter column code set statistics 1000;
alter table fhir.current alter column tok set statistics 1000;

-- Who points at a resource: _revinclude, _has, compartments, and searches by reference. `link` is the hash of the reference parameter
-- and the target's type (openward.fhir.search.reference.link_hash). A reference that `current.patient` already holds is not repeated here.
create table fhir.edge (
  tenant int not null,
  tgt uuid not null,
  link bigint not null,
  stype smallint not null,
  src uuid not null,
  primary key (tenant, tgt, link, stype, src)
);

-- Hash → system, code and display, for `system|` and `:text`. Not unique: two writers of a new code must not wait for each other.
create table fhir.token (
  tenant int not null,
  param int not null,
  system text not null default '',
  code text not null default '',
  display text not null default '',
  h bigint not null
);
create index token_by_hash on fhir.token (tenant, h);
create index token_by_system on fhir.token (tenant, param, system);

-- Bundles that `openward import` has taken in, by the SHA-256 of their text: the same file again is recognised before it is parsed.
create table fhir.import_ledger (
  tenant int not null,
  digest bytea not null,
  resources int not null,
  at timestamptz not null default now(),
  primary key (tenant, digest)
);

-- The values of the other parameters, one small table per kind. `param` is openward.fhir.search.parameters.number(code).

-- Dates that are not the leading one; half-open.
create table fhir.date_value (
  tenant int not null,
  rtype smallint not null,
  param int not null,
  lo timestamptz not null,
  hi timestamptz not null,
  rkey uuid not null
);
create index date_value_by_value on fhir.date_value (tenant, rtype, param, lo, rkey);
create index date_value_by_resource on fhir.date_value (tenant, rkey, rtype, param);

-- Numbers and quantities; lo = hi unless a range or a comparator opens it. units: hashes of system and code, code, and unit.
create table fhir.quantity_value (
  tenant int not null,
  rtype smallint not null,
  param int not null,
  lo float8 not null,
  hi float8 not null,
  units bigint[] not null default '{}',
  rkey uuid not null
);
create index quantity_value_by_value on fhir.quantity_value (tenant, rtype, param, lo, rkey);

-- Strings: norm is without case and accents, value as it stands.
create table fhir.string_value (
  tenant int not null,
  rtype smallint not null,
  param int not null,
  norm text collate "C" not null,
  value text not null,
  rkey uuid not null
);
create index string_value_by_value on fhir.string_value (tenant, rtype, param, (left(norm, 100)) collate "C", rkey);
create index string_value_by_resource on fhir.string_value (tenant, rkey, rtype, param);

-- Composites of a repeating group: one row per group. tok: token hashes of its components; lo1/hi1, lo2/hi2: its numbers in their order.
create table fhir.composite_value (
  tenant int not null,
  rtype smallint not null,
  param int not null,
  tok bigint[] not null default '{}',
  lo1 float8,
  hi1 float8,
  lo2 float8,
  hi2 float8,
  rkey uuid not null
);
create index composite_value_by_resource on fhir.composite_value (tenant, rkey, rtype, param);

-- For the front desk's finder (openward.fhir.search.people): what a person is found by, and what ranks them.
-- kind: n word of a name, r the word backwards, p its sound, b birth date, i identifier, t telephone digits.
create table fhir.person_key (
  tenant int not null,
  kind "char" not null,
  key text collate "C" not null,
  rkey uuid not null,
  primary key (tenant, kind, key, rkey)
);
create index person_key_by_person on fhir.person_key (tenant, rkey);
create table fhir.person (
  tenant int not null,
  rkey uuid not null,
  id text not null,
  names text[] not null,
  birth text not null default '',
  sex text not null default '',
  phones text[] not null,
  identifiers text[] not null,
  address text not null default '',
  primary key (tenant, rkey)
);

-- What the engine signs with. Paging cursors are signed so that a forged one is refused.
create table fhir.secret (
  name text primary key,
  value bytea not null
);
