-- Who had which task.

-- name: open
-- A task is given to a person.
INSERT INTO task_assignments (id, task_id, assigned_to, assigned_by, assignment_method, assigned_at, reason)
VALUES (:id, :task_id, :assigned_to, :assigned_by, :assignment_method, :assigned_at, :reason);

-- name: methods
-- How the assignments of a period were made, and how many replaced another.
SELECT a.assignment_method, count(*), count(*) FILTER (WHERE a.status = 'reassigned')
FROM task_assignments a JOIN tasks t ON t.id = a.task_id
WHERE a.assigned_at >= :since AND (:team::text IS NULL OR t.assigned_team = :team)
GROUP BY a.assignment_method ORDER BY a.assignment_method;

-- name: active_work
-- Who has active assignments of the period, and their age in minutes at an instant.
SELECT a.assigned_to, count(*), round(avg(extract(epoch FROM :now - a.assigned_at) / 60), 2)::float8
FROM task_assignments a JOIN tasks t ON t.id = a.task_id
WHERE a.status = 'active' AND a.assigned_at >= :since AND (:team::text IS NULL OR t.assigned_team = :team)
GROUP BY a.assigned_to ORDER BY count(*) DESC, a.assigned_to;
