-- Processes: locking, loading and changing them.

-- name: lock
-- The process, locked against every other command until the end of the transaction, with the
-- transaction's own time (what updated_at will be).
SELECT now(), p.* FROM process_instances p WHERE p.id = :process_id FOR NO KEY UPDATE;

-- name: lock_of_task
-- The process that a task belongs to, locked in the same way.
SELECT now(), p.*
FROM process_instances p
WHERE p.id = (SELECT process_instance_id FROM tasks WHERE id = :task_id)
FOR NO KEY UPDATE;

-- name: lock_of_task_unless_held
-- The same, but nothing when another command holds it at this moment.
SELECT now(), p.*
FROM process_instances p
WHERE p.id = (SELECT process_instance_id FROM tasks WHERE id = :task_id)
FOR NO KEY UPDATE SKIP LOCKED;

-- name: last_event_at
-- The instant of the newest event of a process; the next one must not be earlier.
SELECT timestamp FROM process_events WHERE process_instance_id = :process_id ORDER BY seq DESC LIMIT 1;

-- name: first_open_step
-- The earliest open step of a process: its phase is the current phase.
SELECT position, phase FROM tasks
WHERE process_instance_id = :process_id AND status IN ('pending', 'assigned', 'in_progress')
ORDER BY position LIMIT 1;

-- name: last_position
-- The position of the last task of a process; new ones are placed after it.
SELECT position FROM tasks WHERE process_instance_id = :process_id ORDER BY position DESC LIMIT 1;

-- name: child_ids
-- The children of a process in the order in which they are locked.
SELECT id FROM process_instances WHERE parent_process_id = :process_id ORDER BY id;

-- name: exists
-- Whether the id is taken, and the transaction's own time.
SELECT now(), EXISTS (SELECT FROM process_instances WHERE id = :process_id);

-- name: insert
-- New processes, as a JSON array of rows.
INSERT INTO process_instances (
    id, process_definition_id, definition_version, process_name, process_type, status, initiated_by,
    assigned_to, assigned_team, business_context, input_data, output_data, variables, created_at, started_at,
    due_date, estimated_duration_mins, sla_target_mins, priority, tags, parent_process_id, auto_complete,
    current_phase, current_step, total_steps, failed_steps, progress_percentage, max_retries, sla_status)
SELECT
    id, process_definition_id, definition_version, process_name, process_type, status, initiated_by,
    assigned_to, assigned_team, business_context, input_data, output_data, variables, created_at, started_at,
    due_date, estimated_duration_mins, sla_target_mins, priority, tags, parent_process_id, auto_complete,
    current_phase, current_step, total_steps, failed_steps, progress_percentage, max_retries, sla_status
FROM jsonb_to_recordset(:rows) AS r (
    id uuid, process_definition_id text, definition_version integer, process_name text, process_type text,
    status text, initiated_by text, assigned_to text, assigned_team text, business_context jsonb,
    input_data jsonb, output_data jsonb, variables jsonb, created_at timestamptz, started_at timestamptz,
    due_date timestamptz, estimated_duration_mins integer, sla_target_mins integer, priority text,
    tags text[], parent_process_id uuid, auto_complete boolean, current_phase text, current_step integer,
    total_steps integer, failed_steps integer, progress_percentage numeric, max_retries integer,
    sla_status text);

-- name: get
-- One process.
SELECT * FROM process_instances WHERE id = :process_id;

-- name: children
-- The children of a process, oldest first; with seen_by, only what that person sees as one of seen_by_team.
SELECT * FROM process_instances p
WHERE parent_process_id = :process_id
  AND (:seen_by::text IS NULL OR assigned_team IS NULL OR assigned_team = :seen_by_team::text
       OR :seen_by::text IN (initiated_by, assigned_to)
       OR EXISTS (SELECT FROM tasks t WHERE t.process_instance_id = p.id
                  AND (t.assigned_to = :seen_by::text OR t.assigned_team = :seen_by_team::text)))
ORDER BY created_at, id;

-- name: summary
-- The figures of the processes created in the last 30 days before an instant; breached as of that instant,
-- whatever has been told by then.
SELECT count(*),
       count(*) FILTER (WHERE status = 'running'),
       count(*) FILTER (WHERE status = 'completed'),
       count(*) FILTER (WHERE status = 'failed'),
       count(*) FILTER (WHERE status = 'suspended'),
       count(*) FILTER (WHERE coalesce(u.sla_status, p.sla_status) = 'breached'),
       coalesce(round(avg(progress_percentage), 2), 0)::float8,
       round(avg(actual_duration_mins) FILTER (WHERE status = 'completed'), 2)::float8
FROM process_instances p
LEFT JOIN untold_sla(:now) u ON u.process_instance_id = p.id AND u.task_id IS NULL
WHERE created_at >= :now::timestamptz - interval '30 days';

-- name: trend
-- How many processes were started, were completed, met their target and came past due in each stretch of time until
-- an instant; :bounds are the instants with which the stretches begin, the first one is number 1. A process that came
-- past due counts there, whatever has been told by then.
SELECT stretch, sum(started)::integer, sum(completed)::integer, sum(met)::integer, sum(breached)::integer
FROM (
    SELECT width_bucket(started_at, :bounds::timestamptz[]) AS stretch,
           count(*) AS started, 0 AS completed, 0 AS met, 0 AS breached
    FROM process_instances WHERE started_at >= :since::timestamptz AND started_at <= :now::timestamptz
    GROUP BY 1
    UNION ALL
    SELECT width_bucket(completed_at, :bounds::timestamptz[]), 0,
           count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE sla_status = 'met'), 0
    FROM process_instances WHERE completed_at >= :since::timestamptz AND completed_at <= :now::timestamptz
    GROUP BY 1
    UNION ALL
    SELECT width_bucket(sla_breach_time, :bounds::timestamptz[]), 0, 0, 0, count(*)
    FROM process_instances WHERE sla_breach_time >= :since::timestamptz AND sla_breach_time <= :now::timestamptz
    GROUP BY 1
    UNION ALL
    SELECT width_bucket(due_at, :bounds::timestamptz[]), 0, 0, 0, count(*)
    FROM untold_sla(:now) WHERE task_id IS NULL AND sla_status = 'breached' AND due_at >= :since::timestamptz
    GROUP BY 1) counted
GROUP BY stretch;

-- name: of_task
-- The process that a task belongs to.
SELECT * FROM process_instances WHERE id = (SELECT process_instance_id FROM tasks WHERE id = :task_id);

-- name: involves
-- Whether a person or a team has, or had, a task in a process.
SELECT EXISTS (SELECT FROM tasks WHERE process_instance_id = :process_id
               AND (assigned_to = :user_id OR assigned_team = :team::text));
