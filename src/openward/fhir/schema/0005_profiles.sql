-- What profiles adds to the record's tables.
select 1;
