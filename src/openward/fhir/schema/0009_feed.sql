-- How `since` moves on. Every transaction from `ahead` on was numbered after `ahead_at`: once the watermark has reached it, `since` becomes `ahead_at`.
-- Whoever holds the watermark back, in whatever database of the cluster, is waited for without being asked who it is or when it began.
alter table fhir.subscription_feed add column ahead xid8, add column ahead_at timestamptz;
update fhir.subscription_feed set ahead = pg_snapshot_xmax(pg_current_snapshot()), ahead_at = clock_timestamp();
alter table fhir.subscription_feed alter column ahead set not null, alter column ahead_at set not null;
