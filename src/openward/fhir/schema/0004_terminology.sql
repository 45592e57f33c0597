-- What terminology adds to the record's tables.
select 1;
