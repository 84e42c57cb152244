-- An event and the task that it tells of belong to the same process.
SELECT e.id, concat('event of process ', e.process_instance_id,
    ' tells of a task of ', t.process_instance_id) AS detail
FROM process_events e JOIN tasks t ON t.id = e.task_id
WHERE t.process_instance_id <> e.process_instance_id
