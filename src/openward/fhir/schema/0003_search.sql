-- Search beyond the tables of 0001: full text, and the search parameters a site adds itself.

-- What `_text` and `_content` look for: the words of the narrative, and of every value. Read out of the text of the resource without parsing it as
-- JSON, and cut where PostgreSQL could not index it, so that there is no resource these fail on and a write never stops at them.
create function fhir.narrative_words(body text) returns tsvector language plpgsql immutable strict parallel safe cost 300 as $$
begin
  return to_tsvector('simple', left(regexp_replace(coalesce(substring(body from '"div":"((?:[^"\\]|\\.)*)"'), ''), '\\[nrt"]', ' ', 'g'), 100000));
end $$;

create function fhir.content_words(body text) returns tsvector language plpgsql immutable strict parallel safe cost 500 as $$
begin
  return to_tsvector('simple', left(regexp_replace(body, '"[A-Za-z_][A-Za-z]*":|\\[nrt"]', ' ', 'g'), 100000));
end $$;

-- Only a version with a narrative costs more than a look for its name. The content is kept for the types that people write texts in:
-- Communication 22, Composition 25, DocumentReference 41, Questionnaire 111, QuestionnaireResponse 112.
create index body_by_narrative on fhir.body using gin (fhir.narrative_words(body)) where body like '%"div":%';
create index body_by_content on fhir.body using gin (fhir.content_words(body)) where rtype in (22, 25, 41, 111, 112);

-- Values that are ranges (comparators, Ranges) by their end; all others are points, found by quantity_value_by_value.
create index quantity_value_by_end on fhir.quantity_value (tenant, rtype, param, hi) where lo < hi;

-- Which systems have a code, so that a code asked for without one is found by the index of the leading code.
create index token_by_code on fhir.token (tenant, param, code);

-- The parameters a site adds by storing a SearchParameter, a row for each resource type one applies to; they hold for every tenant.
-- state: waiting (told, nothing read yet), running, active (searchable), failed, gone. version goes up with every change, for the processes that
-- look whether there is one. position: tenant and key last read; done of total resources.
create table fhir.own_parameter (
  tenant int not null,
  url text not null,
  base text not null,
  code text not null,
  definition text not null,
  state text not null default 'waiting' check (state in ('waiting', 'running', 'active', 'failed', 'gone')),
  version bigint not null,
  told_at timestamptz not null default clock_timestamp(),
  at_tenant int not null default -2147483648,
  at_key uuid not null default '00000000-0000-0000-0000-000000000000',
  done bigint not null default 0,
  total bigint not null default 0,
  trouble text,
  primary key (tenant, url, base)
);
