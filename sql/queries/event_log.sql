-- Reading the event log by windows: a window holds the events that one snapshot shows and an earlier one does
-- not, in the order of seq. Whatever is committed later, however early it began, is in a later window; and of
-- two events of one process the earlier is in the same window or in one before.

-- name: now
-- What is committed at this moment, and the cluster that says so.
SELECT pg_current_snapshot()::text, system_identifier::text FROM pg_control_system();

-- name: is_of_this_cluster
-- Whether the log's transaction ids are those of the cluster that it is in.
SELECT l.system_identifier = c.system_identifier FROM event_log l, pg_control_system() c;

-- name: window
-- The window that begins now: its snapshot and its first seq (null when nothing is new), with its first events.
-- One statement, so that all of it is of one snapshot.
WITH new AS MATERIALIZED (
    SELECT min(seq) AS first_seq, max(seq) AS last_seq FROM (
        SELECT seq FROM process_events WHERE xid >= pg_snapshot_xmax(:read_from::pg_snapshot)
        UNION ALL
        SELECT seq FROM process_events
        WHERE xid = ANY (ARRAY(SELECT pg_snapshot_xip(:read_from::pg_snapshot)))) committed)
SELECT pg_current_snapshot()::text, new.first_seq, e.*
FROM new LEFT JOIN LATERAL (
    SELECT xid::text::bigint, id, seq, process_instance_id, task_id, event_type, event_category, severity,
           user_id, user_name, automated, message, details, old_status, new_status, old_data, new_data,
           timestamp, correlation_id, tags, causation_id, encode(hash, 'hex')
    FROM process_events
    WHERE seq BETWEEN new.first_seq AND new.last_seq
      AND NOT pg_visible_in_snapshot(xid, :read_from::pg_snapshot)
      AND event_type LIKE :types AND (:starts_at::timestamptz IS NULL OR timestamp >= :starts_at)
      AND (:process_id::uuid IS NULL OR process_instance_id = :process_id)
    ORDER BY seq LIMIT :most) e ON true;

-- name: rest_of_window
-- The next events of a window.
SELECT xid::text::bigint, id, seq, process_instance_id, task_id, event_type, event_category, severity,
       user_id, user_name, automated, message, details, old_status, new_status, old_data, new_data,
       timestamp, correlation_id, tags, causation_id, encode(hash, 'hex')
FROM process_events
WHERE seq > :last_seq
  AND NOT pg_visible_in_snapshot(xid, :read_from::pg_snapshot)
  AND pg_visible_in_snapshot(xid, :read_to::pg_snapshot)
  AND event_type LIKE :types AND (:starts_at::timestamptz IS NULL OR timestamp >= :starts_at)
  AND (:process_id::uuid IS NULL OR process_instance_id = :process_id)
ORDER BY seq LIMIT :most;

-- name: oldest_writer
-- The transaction that has written for longest and is not over, in any database of the cluster.
SELECT pid, datname, application_name, xact_start, clock_timestamp() - xact_start
FROM pg_stat_activity WHERE backend_xid IS NOT NULL
ORDER BY xact_start LIMIT 1;

-- name: lock
-- Nobody writes events until the end of the transaction.
LOCK TABLE process_events IN SHARE ROW EXCLUSIVE MODE;

-- name: this_transaction
-- Its number, and what was committed before it.
SELECT pg_current_xact_id()::text::bigint, pg_current_snapshot()::text;

-- name: keep_unread
-- Each subscription's place as a seq: before the first event that it had not passed, whose later ones are given
-- again. From now on all events are in one window.
UPDATE event_subscriptions s SET
    started_from = '1:1:', read_from = '1:1:', read_to = :read_to, last_seq = p.first_unread - 1,
    passed = p.passed, passed_seqs = p.passed_seqs, moved_at = clock_timestamp()
FROM (
    SELECT old.name, u.first_unread, count(e.seq) AS passed, coalesce(sum(e.seq), 0) AS passed_seqs
    FROM event_subscriptions old
    CROSS JOIN LATERAL (
        SELECT coalesce(min(seq), 9223372036854775807) AS first_unread FROM process_events unread
        WHERE NOT pg_visible_in_snapshot(unread.xid, old.read_from)
          AND NOT (pg_visible_in_snapshot(unread.xid, old.read_to) AND unread.seq <= old.last_seq)) u
    LEFT JOIN process_events e
        ON e.seq < u.first_unread AND e.event_type LIKE event_types(old.pattern)
        AND (old.starts_at IS NULL OR e.timestamp >= old.starts_at)
    GROUP BY old.name, u.first_unread) p
WHERE s.name = p.name;

-- name: allow_rewriting
-- For this transaction's renumbering only.
ALTER TABLE process_events DISABLE TRIGGER process_events_append_only;

-- name: renumber
-- Every event gets this transaction's number.
UPDATE process_events SET xid = pg_current_xact_id();

-- name: refuse_rewriting
-- History is history again.
ALTER TABLE process_events ENABLE TRIGGER process_events_append_only;

-- name: forget_sweeps
-- What the last SLA sweep could see was told in the other cluster's numbers.
UPDATE sla_sweeps SET swept_at = NULL, snapshot = NULL;

-- name: adopt
-- From now on the log is one of this cluster.
UPDATE event_log SET system_identifier = (SELECT system_identifier FROM pg_control_system());
