-- The status of every process and task is the one that its last event gave it.
WITH told_process AS (
    SELECT DISTINCT ON (process_instance_id) process_instance_id AS id, new_status
    FROM process_events
    WHERE task_id IS NULL AND new_status IS NOT NULL
    ORDER BY process_instance_id, seq DESC
), told_task AS (
    SELECT DISTINCT ON (task_id) task_id AS id, new_status
    FROM process_events
    WHERE task_id IS NOT NULL AND new_status IS NOT NULL
    ORDER BY task_id, seq DESC
)
SELECT p.id, concat('process is ', p.status, ', its events say ', coalesce(told.new_status, 'nothing')) AS detail
FROM process_instances p LEFT JOIN told_process told ON told.id = p.id
WHERE p.status IS DISTINCT FROM told.new_status
UNION ALL
SELECT t.id, concat('task is ', t.status, ', its events say ', coalesce(told.new_status, 'nothing'))
FROM tasks t LEFT JOIN told_task told ON told.id = t.id
WHERE t.status IS DISTINCT FROM told.new_status
