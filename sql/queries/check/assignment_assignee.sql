-- The active assignment names the task's assignee; a pending task has none.
SELECT t.id, concat('assigned to ', coalesce(t.assigned_to, 'nobody'),
    ', its active assignment names ', a.assigned_to) AS detail
FROM tasks t JOIN task_assignments a ON a.task_id = t.id AND a.status = 'active'
WHERE a.assigned_to IS DISTINCT FROM t.assigned_to
UNION ALL
SELECT id, concat('pending, and assigned to ', assigned_to)
FROM tasks
WHERE status = 'pending' AND assigned_to IS NOT NULL
