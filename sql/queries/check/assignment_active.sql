-- A task that somebody has (assigned, in progress) has one active assignment, any other task none.
WITH active AS (
    SELECT task_id, count(*) AS assignments
    FROM task_assignments
    WHERE status = 'active'
    GROUP BY task_id
)
SELECT t.id, concat(t.status, ' task has ', coalesce(a.assignments, 0), ' active assignments') AS detail
FROM tasks t LEFT JOIN active a ON a.task_id = t.id
WHERE coalesce(a.assignments, 0) <> CASE WHEN t.status IN ('assigned', 'in_progress') THEN 1 ELSE 0 END
