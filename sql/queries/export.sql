-- An event log of what the workbench holds: from processes, tasks and events only.

-- name: processes
-- The processes to export, in the order in which they came to be, each with the case id it gets: that of its
-- log when it was replayed, else its own id; and its own id where an earlier process has the case id already.
WITH chosen AS (
    SELECT p.id, p.total_steps, born.seq,
           CASE WHEN 'replay' = ANY (p.tags) AND jsonb_typeof(p.variables -> 'case_id') = 'string'
                THEN p.variables ->> 'case_id' ELSE p.id::text END AS case_id
    FROM process_instances p
    CROSS JOIN LATERAL (
        SELECT e.seq FROM process_events e WHERE e.process_instance_id = p.id ORDER BY e.seq LIMIT 1) AS born
    WHERE (:definition_id::text IS NULL OR p.process_definition_id = :definition_id)
      AND (:tag::text IS NULL OR :tag = ANY (p.tags)))
SELECT id, case_id, row_number() OVER (PARTITION BY case_id ORDER BY seq) > 1 AS is_taken, total_steps
FROM chosen
ORDER BY seq;

-- name: contexts
-- The case attributes of some processes.
SELECT id, business_context FROM process_instances WHERE id = ANY (:process_ids);

-- name: activities
-- The completed tasks of some processes, each process's in the order in which they were completed. What the
-- log of a replayed task did not say, is not said.
SELECT t.process_instance_id, t.task_name, t.completed_at,
       CASE WHEN 'start-unobserved' = ANY (t.tags) THEN NULL ELSE t.started_at END,
       CASE WHEN 'resource-unobserved' = ANY (t.tags) THEN NULL ELSE t.assigned_to END,
       t.input_data
FROM process_events e
JOIN tasks t ON t.id = e.task_id
WHERE e.process_instance_id = ANY (:process_ids) AND e.event_type = 'task.completed'
ORDER BY e.process_instance_id, t.completed_at, e.seq;
