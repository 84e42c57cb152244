-- The audit: the ends of the chains, for anchors, and whether the log still has what an anchor keeps.

-- name: place
-- The instant, the cluster and the database of this read.
SELECT statement_timestamp(), (SELECT system_identifier::text FROM pg_control_system()), current_database();

-- name: size
-- How many processes and events there are.
SELECT (SELECT count(*) FROM process_instances), (SELECT count(*) FROM process_events);

-- name: heads
-- The last event of every process, and how many events it has.
SELECT DISTINCT ON (process_instance_id)
    process_instance_id, seq, encode(hash, 'hex'), count(*) OVER (PARTITION BY process_instance_id)
FROM process_events
ORDER BY process_instance_id, seq DESC;

-- name: missing
-- Anchored heads that the log does not have: what it has of the process instead, and whether that is because
-- retention deleted the process, after the anchor or as it was anchored. What came before the deletion must be
-- gone; an id that the caller chose may have come again.
SELECT a.process_id, a.seq, a.events, there.last_seq, there.events,
    EXISTS (
        SELECT FROM deleted_processes d
        WHERE d.process_instance_id = a.process_id AND d.events >= a.events
          AND (d.seq > a.seq OR (d.seq = a.seq AND encode(d.hash, 'hex') = a.hash))
          AND coalesce(there.first_seq > d.seq, true)) AS is_deleted
FROM jsonb_to_recordset(:heads) AS a (process_id uuid, seq bigint, hash text, events bigint)
CROSS JOIN LATERAL (
    SELECT min(seq) AS first_seq, max(seq) AS last_seq, count(*) AS events FROM process_events
    WHERE process_instance_id = a.process_id) AS there
WHERE NOT EXISTS (
    SELECT FROM process_events e
    WHERE e.process_instance_id = a.process_id AND e.seq = a.seq AND encode(e.hash, 'hex') = a.hash)
ORDER BY a.process_id;
