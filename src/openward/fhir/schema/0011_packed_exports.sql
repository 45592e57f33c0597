-- The files of an export lie packed on the disk. bytes: of the lines; stored: of the file; crc: CRC-32 of the lines.
-- Whatever was written before is asked for anew: it lasts a day at most.
alter table fhir.export_file add column stored bigint not null default 0, add column crc bigint not null default 0;
delete from fhir.export_file;
update fhir.export set state = 'failed', note = 'The server was renewed since: ask anew.' where state = 'done';
