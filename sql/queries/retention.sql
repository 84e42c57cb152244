-- Retention: finished processes that are old enough leave with their whole family, or stay with it.

-- name: roots
-- Finished processes without a parent that were created before an instant, oldest first, after a place in that
-- order. Each with how many its family is, and whether all of them had ended by then and nobody has still to be
-- given one of their events. When a process was cancelled only its event says.
SELECT r.id, r.created_at, f.size, f.is_over
FROM (
    SELECT id, created_at FROM process_instances
    WHERE parent_process_id IS NULL AND status IN ('completed', 'cancelled') AND created_at < :before
      AND (created_at, id) > (:after_instant::timestamptz, :after_id::uuid)
    ORDER BY created_at, id LIMIT :most) r
CROSS JOIN LATERAL (
    WITH RECURSIVE family AS (
        SELECT id, status, completed_at FROM process_instances WHERE id = r.id
        UNION ALL
        SELECT c.id, c.status, c.completed_at
        FROM family f JOIN process_instances c ON c.parent_process_id = f.id)
    SELECT count(*) AS size, bool_and(coalesce(CASE status
        WHEN 'completed' THEN completed_at
        WHEN 'cancelled' THEN (
            SELECT e.timestamp FROM process_events e
            WHERE e.process_instance_id = family.id AND e.task_id IS NULL AND e.new_status = 'cancelled'
            ORDER BY e.seq DESC LIMIT 1)
        END < :before, false) AND NOT EXISTS (
            SELECT FROM event_subscriptions s JOIN process_events e ON e.process_instance_id = family.id
            WHERE NOT pg_visible_in_snapshot(e.xid, s.read_from)) AND NOT EXISTS (
            SELECT FROM event_deliveries d
            WHERE d.process_instance_id = family.id AND d.status <> 'dead')) AS is_over
    FROM family) f
ORDER BY r.created_at, r.id;

-- name: family
-- Processes and their descendants, ancestors first: the order in which they are locked.
WITH RECURSIVE family AS (
    SELECT id, 0 AS depth FROM process_instances WHERE id = ANY (:roots::uuid[])
    UNION ALL
    SELECT c.id, f.depth + 1 FROM family f JOIN process_instances c ON c.parent_process_id = f.id)
SELECT id FROM family ORDER BY depth, id;

-- name: lock
-- All of these processes, still finished; nobody can write to them until the end of the transaction.
SELECT require_rows(count(*), cardinality(:ids::uuid[])) FROM (
    SELECT FROM unnest(:ids::uuid[]) WITH ORDINALITY AS wanted (id, place)
    JOIN process_instances p ON p.id = wanted.id
    WHERE p.status IN ('completed', 'cancelled')
    ORDER BY wanted.place FOR UPDATE OF p) locked;

-- name: forget_passed
-- Subscriptions that have passed the history of the processes no longer count it.
UPDATE event_subscriptions s SET passed = s.passed - gone.count, passed_seqs = s.passed_seqs - gone.seqs
FROM (
    SELECT other.name, count(*) AS count, sum(e.seq) AS seqs
    FROM event_subscriptions other JOIN process_events e
        ON NOT pg_visible_in_snapshot(e.xid, other.started_from) AND e.event_type LIKE event_types(other.pattern)
        AND (other.starts_at IS NULL OR e.timestamp >= other.starts_at)
    WHERE e.process_instance_id = ANY (:ids::uuid[])
    GROUP BY other.name) gone
WHERE s.name = gone.name;

-- name: keep_heads
-- Where the chains of the processes end, for audits to come.
INSERT INTO deleted_processes (process_instance_id, seq, hash, events)
SELECT DISTINCT ON (process_instance_id)
    process_instance_id, seq, hash, count(*) OVER (PARTITION BY process_instance_id)
FROM process_events
WHERE process_instance_id = ANY (:ids::uuid[])
ORDER BY process_instance_id, seq DESC;

-- name: delete_deliveries
-- Events of the processes at which somebody's handler failed too often.
DELETE FROM event_deliveries WHERE process_instance_id = ANY (:ids::uuid[]);

-- name: delete_events
-- The history of the processes.
DELETE FROM process_events WHERE process_instance_id = ANY (:ids::uuid[]);

-- name: delete_assignments
-- Who had the tasks of the processes.
DELETE FROM task_assignments WHERE task_id IN (
    SELECT id FROM tasks WHERE process_instance_id = ANY (:ids::uuid[]));

-- name: delete_sla_metrics
-- How the processes and their tasks stood against their targets.
DELETE FROM sla_metrics WHERE process_instance_id = ANY (:ids::uuid[]);

-- name: delete_tasks
-- The tasks of the processes.
DELETE FROM tasks WHERE process_instance_id = ANY (:ids::uuid[]);

-- name: delete_processes
-- The processes themselves.
DELETE FROM process_instances WHERE id = ANY (:ids::uuid[]);
