-- Sealed values in bodies (openward.fhir.sealing): a body that has any begins with a space, and each stands as `"\/…"`.

-- Words are not looked for in what is sealed.
create or replace function fhir.narrative_words(body text) returns tsvector language plpgsql immutable strict parallel safe cost 300 as $$
begin
  return to_tsvector('simple', left(regexp_replace(coalesce(substring(body from '"div":"((?!\\/)(?:[^"\\]|\\.)*)"'), ''), '\\[nrt"]', ' ', 'g'), 100000));
end $$;

create or replace function fhir.content_words(body text) returns tsvector language plpgsql immutable strict parallel safe cost 500 as $$
begin
  if left(body, 1) = ' ' then
    body := regexp_replace(body, '"\\/[^"]*"', ' ', 'g');
  end if;
  return to_tsvector('simple', left(regexp_replace(body, '"[A-Za-z_][A-Za-z]*":|\\[nrt"]', ' ', 'g'), 100000));
end $$;

-- How far all versions have been gone through since the rules of what is sealed, or the keys, were last changed. `wanted`: for which rules and keys;
-- `done`: for which it was finished. The position is the last version looked at. One row.
create table fhir.sealing_walk (
  one boolean primary key default true check (one),
  wanted text not null default '',
  done text not null default '',
  at_tenant int not null default -2147483648,
  at_rtype smallint not null default -1,
  at_rkey uuid not null default '00000000-0000-0000-0000-000000000000',
  at_ver int not null default 0,
  changed xid8
);
insert into fhir.sealing_walk default values;
