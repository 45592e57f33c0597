-- What loading adds to the record's tables.
select 1;
