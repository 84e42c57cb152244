-- Tasks: loading what a decision needs, and changing them.

-- name: state
-- A task with what a decision about it needs: the newest event's instant of its process, the
-- earliest open step beside it, and its active assignment. Read after the process was locked.
SELECT t.*, e.timestamp, n.position, n.phase, a.*
FROM tasks t
LEFT JOIN LATERAL (
    SELECT timestamp FROM process_events
    WHERE process_instance_id = t.process_instance_id ORDER BY seq DESC LIMIT 1) e ON true
LEFT JOIN LATERAL (
    SELECT position, phase FROM tasks
    WHERE process_instance_id = t.process_instance_id AND status IN ('pending', 'assigned', 'in_progress')
      AND id <> t.id
    ORDER BY position LIMIT 1) n ON true
LEFT JOIN task_assignments a ON a.task_id = t.id AND a.status = 'active'
WHERE t.id = :task_id;

-- name: dependants
-- The tasks that wait for a task, as far as freeing them needs it.
SELECT id, version, task_definition_id, task_name, status, open_dependencies, sla_target_mins, due_date,
       priority, assigned_to, assigned_team, assignment_method, required_skills, estimated_duration_mins
FROM tasks
WHERE id = ANY ((SELECT blocking FROM tasks WHERE id = :task_id)::uuid[])
ORDER BY position;

-- name: open_with_assignments
-- The open tasks of a process in their order, each with its active assignment.
SELECT t.*, a.* FROM tasks t
LEFT JOIN task_assignments a ON a.task_id = t.id AND a.status = 'active'
WHERE t.process_instance_id = :process_id AND t.status IN ('pending', 'assigned', 'in_progress')
ORDER BY t.position;

-- name: failed
-- The failed tasks of a process in their order.
SELECT * FROM tasks WHERE process_instance_id = :process_id AND status = 'failed' ORDER BY position;

-- name: dependencies
-- The state of tasks that new tasks want to depend on.
SELECT id, process_instance_id, status FROM tasks WHERE id = ANY (:task_ids::uuid[]);

-- name: insert
-- New tasks, as a JSON array of rows.
INSERT INTO tasks (
    id, process_instance_id, task_definition_id, task_name, task_type, status, substatus, phase, position,
    assigned_to, assigned_team, assignment_method, depends_on, blocking, open_dependencies, ready_at,
    input_data, created_at, due_date, estimated_duration_mins, sla_target_mins, max_retries, priority, tags,
    notes, required_skills, sla_status)
SELECT
    id, process_instance_id, task_definition_id, task_name, task_type, status, substatus, phase, position,
    assigned_to, assigned_team, assignment_method, depends_on, blocking, open_dependencies, ready_at,
    input_data, created_at, due_date, estimated_duration_mins, sla_target_mins, max_retries, priority, tags,
    notes, required_skills, sla_status
FROM jsonb_to_recordset(:rows) AS r (
    id uuid, process_instance_id uuid, task_definition_id text, task_name text, task_type text, status text,
    substatus text, phase text, position integer, assigned_to text, assigned_team text,
    assignment_method text, depends_on uuid[], blocking uuid[], open_dependencies integer,
    ready_at timestamptz, input_data jsonb, created_at timestamptz, due_date timestamptz,
    estimated_duration_mins integer, sla_target_mins integer, max_retries integer, priority text,
    tags text[], notes text, required_skills jsonb, sla_status text);

-- name: add_blocking
-- Tasks that new ones depend on learn of them.
WITH moved AS (
    UPDATE tasks SET blocking = blocking || :task_ids::uuid[] WHERE id = :id RETURNING 1)
SELECT require_rows(count(*), 1) FROM moved;

-- name: get
-- One task.
SELECT * FROM tasks WHERE id = :task_id;

-- name: mine
-- What a person has in running processes: due soonest first, no due date last, then the most urgent; with
-- seen_by, only what that other person sees as one of seen_by_team.
SELECT t.*, t.ready_at IS NOT NULL, p.process_name, p.process_type
FROM tasks t JOIN process_instances p ON p.id = t.process_instance_id AND p.status = 'running'
WHERE t.assigned_to = :user_id AND t.status IN ('assigned', 'in_progress')
  AND (:seen_by::text IS NULL OR coalesce(t.assigned_team, p.assigned_team) IS NULL
       OR coalesce(t.assigned_team, p.assigned_team) = :seen_by_team::text
       OR :seen_by::text IN (t.assigned_to, p.initiated_by, p.assigned_to))
ORDER BY t.due_date NULLS LAST, priority_rank(t.priority) DESC, t.created_at, t.id
LIMIT :limit;

-- name: queue
-- What waits in a team's queue and may be claimed, in the order of mine, each with the name of its process; with
-- seen_by, only what that other person sees as one of seen_by_team.
SELECT t.*, p.process_name
FROM tasks t JOIN process_instances p ON p.id = t.process_instance_id AND p.status = 'running'
WHERE t.assigned_team = :team AND t.status = 'pending' AND t.ready_at IS NOT NULL
  AND (:seen_by::text IS NULL OR t.assigned_team = :seen_by_team::text
       OR :seen_by::text IN (p.initiated_by, p.assigned_to))
ORDER BY t.due_date NULLS LAST, priority_rank(t.priority) DESC, t.created_at, t.id
LIMIT :limit;

-- name: workload
-- Ready or in-progress work of running processes by person, most loaded first; at risk and breached as of an
-- instant, whatever has been told by then.
SELECT t.assigned_to, count(*),
       count(*) FILTER (WHERE t.status = 'in_progress'),
       count(*) FILTER (WHERE coalesce(u.sla_status, t.sla_status) = 'at_risk'),
       count(*) FILTER (WHERE coalesce(u.sla_status, t.sla_status) = 'breached')
FROM tasks t JOIN process_instances p ON p.id = t.process_instance_id AND p.status = 'running'
LEFT JOIN untold_sla(:now) u ON u.task_id = t.id
WHERE t.assigned_to IS NOT NULL AND t.status IN ('assigned', 'in_progress') AND t.ready_at IS NOT NULL
GROUP BY t.assigned_to
ORDER BY count(*) DESC, t.assigned_to;

-- name: show_sla
-- What the clocks say of tasks that the command does not change otherwise, as a JSON array. A due date that
-- somebody set by hand stays. The ids are asked for once more, as in sla.sql.
WITH shown AS (
    UPDATE tasks t SET
        sla_status = r.sla_status, sla_breach_time = r.sla_breach_time,
        due_date = CASE WHEN t.due_date IS NULL OR t.due_date = r.previous_due_date
                        THEN r.due_date ELSE t.due_date END
    FROM jsonb_to_recordset(:rows) AS r (
        id uuid, sla_status text, sla_breach_time timestamptz, due_date timestamptz,
        previous_due_date timestamptz)
    WHERE t.id = r.id AND t.id = ANY (ARRAY (SELECT (row ->> 'id')::uuid FROM jsonb_array_elements(:rows) AS row))
    RETURNING 1)
SELECT require_rows(count(*), jsonb_array_length(:rows)) FROM shown;
