-- Retention: finished processes that are old enough leave with their whole family, or stay with it.

-- name: roots
-- Finished processes without a parent that were created before an instant, oldest first, after a place in that
-- order. Each with how many its family is, and whether all of them had ended by then. When a process was
-- cancelled only its event says.
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
        END < :before, false)) AS is_over
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

-- name: keep_heads
-- Where the chains of the processes end, for audits to come.
INSERT INTO deleted_processes (process_instance_id, seq, hash, events)
SELECT DISTINCT ON (process_instance_id)
    process_instance_id, seq, hash, count(*) OVER (PARTITION BY process_instance_id)
FROM process_events
WHERE process_instance_id = ANY (:ids::uuid[])
ORDER BY process_instance_id, seq DESC;

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
