-- Until when something stood in clear that is sealed now: backups and copies of the log from before it hold it still.
alter table fhir.sealing_walk add column clear_until timestamptz;
update fhir.sealing_walk set clear_until = now() where changed is not null;
