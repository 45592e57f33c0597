-- What exports and subscriptions adds to the record's tables.
select 1;
