-- Bulk exports and imports, and subscriptions: what is asked for, how far it is, what must still be told.

-- One `$export`. at: the moment it shows, after which nothing is in it and up to which nothing is missing; null until the job has begun.
-- actor: how the client who asked is made again in the job. expires: when the files go.
create table fhir.export (
  tenant int not null,
  id uuid not null,
  owner text not null,
  actor jsonb not null,
  spec jsonb not null,
  request text not null,
  url text not null,
  state text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'failed', 'cancelled')),
  note text not null default '',
  asked timestamptz not null default clock_timestamp(),
  at timestamptz,
  touched timestamptz not null default clock_timestamp(),
  polled timestamptz,
  expires timestamptz,
  primary key (tenant, id)
);
create index export_by_owner on fhir.export (tenant, owner, state);

-- The files of an export and how far each is: a chunk is on disk before its row says so, so that a job that died goes on at the last whole one.
-- bytes: what of the file counts. position: the key of its last resource. began: the key after which it begins.
create table fhir.export_file (
  tenant int not null,
  export uuid not null,
  number int not null,
  kind text not null check (kind in ('output', 'deleted', 'error')),
  type text not null,
  rows bigint not null default 0,
  bytes bigint not null default 0,
  patients bigint not null default 0,
  began uuid not null default '00000000-0000-0000-0000-000000000000',
  position uuid not null default '00000000-0000-0000-0000-000000000000',
  complete boolean not null default false,
  primary key (tenant, export, number)
);

-- What a Subscription resource asks for, taken apart, and how far its telling is. owner: how the actor whose it is is made again.
-- types: the resource types it listens to. events: the number of its last event; delivered: of the last one told.
create table fhir.subscription (
  tenant int not null,
  rkey uuid not null,
  id text not null,
  owner jsonb not null,
  terms jsonb not null,
  types smallint[] not null,
  state text not null check (state in ('requested', 'active', 'error', 'off')),
  since timestamptz,
  ends timestamptz,
  events bigint not null default 0,
  delivered bigint not null default 0,
  tries int not null default 0,
  next_try timestamptz,
  last_sent timestamptz,
  error text not null default '',
  primary key (tenant, rkey)
);

-- What happened, for each subscription by itself, counted without gaps. It stays for a while, so that a client may ask again ($events).
create table fhir.subscription_event (
  tenant int not null,
  subscription uuid not null,
  number bigint not null,
  at timestamptz not null,
  rtype smallint not null,
  rkey uuid not null,
  id text not null,
  ver int not null,
  op "char" not null,
  primary key (tenant, subscription, number)
);
create index subscription_event_by_age on fhir.subscription_event (tenant, at);

-- How far the log of versions has been looked through. Every version below `watermark` has been seen; none above it is older than `since`.
create table fhir.subscription_feed (
  tenant int not null,
  watermark xid8 not null,
  since timestamptz not null,
  primary key (tenant)
);

-- One `$import`. inputs: what to take in; results: for each input that is done, its counts and how many lines were refused.
create table fhir.bulk_import (
  tenant int not null,
  id uuid not null,
  owner text not null,
  actor jsonb not null,
  inputs jsonb not null,
  results jsonb not null default '[]',
  request text not null,
  url text not null,
  state text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'failed', 'cancelled')),
  note text not null default '',
  asked timestamptz not null default clock_timestamp(),
  touched timestamptz not null default clock_timestamp(),
  expires timestamptz,
  primary key (tenant, id)
);
create index bulk_import_by_owner on fhir.bulk_import (tenant, owner, state);
