-- What is written fast.

-- A server without lz4 packs texts with pglz, which takes longer than all else an insert does with them, and reading them back unpacks them again.
-- There bodies are kept as they are: a third more room for a table that is then written and read faster.
do $$ begin
  if (select attcompression <> 'l' from pg_attribute where attrelid = 'fhir.body'::regclass and attname = 'body') then
    alter table fhir.body alter column body set storage external, set (toast_tuple_target = 8160);
  end if;
end $$;

-- New tokens wait in a list and go into the tree together, which halves what they cost. The list is read by every search, so it is kept short:
-- at most sixteen pages.
drop index fhir.current_by_tok;
create index current_by_tok on fhir.current using gin (tok) with (fastupdate = on, gin_pending_list_limit = 128);
