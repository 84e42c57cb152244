-- The audit log.

-- name: insert
-- New events in the order of the array, which is the order that seq keeps.
INSERT INTO process_events (
    id, process_instance_id, task_id, event_type, event_category, severity, user_id, automated, message,
    details, old_status, new_status, new_data, timestamp, correlation_id, causation_id)
SELECT
    id, process_instance_id, task_id, event_type, event_category, severity, user_id, automated, message,
    details, old_status, new_status, new_data, timestamp, correlation_id, causation_id
FROM jsonb_to_recordset(:rows) AS r (
    id uuid, process_instance_id uuid, task_id uuid, event_type text, event_category text, severity text,
    user_id text, automated boolean, message text, details jsonb, old_status text, new_status text,
    new_data jsonb, timestamp timestamptz, correlation_id text, causation_id uuid);

-- name: of_process
-- The events of a process, newest first.
SELECT id, seq, process_instance_id, task_id, event_type, event_category, severity, user_id, user_name,
       automated, message, details, old_status, new_status, old_data, new_data, timestamp, correlation_id, tags,
       causation_id, encode(hash, 'hex')
FROM process_events
WHERE process_instance_id = :process_id
ORDER BY seq DESC LIMIT :limit;

-- name: turns
-- The events of a process that its timeline goes by, in their order, with the name of the task or process.
SELECT e.task_id, coalesce(t.task_name, p.process_name), e.event_type, e.new_status, e.user_id, e.timestamp,
       e.details
FROM process_events e
JOIN process_instances p ON p.id = e.process_instance_id
LEFT JOIN tasks t ON t.id = e.task_id
WHERE e.process_instance_id = :process_id
  AND (e.new_status IS NOT NULL OR e.event_type LIKE ANY ('{task.%,process.%}'))
ORDER BY e.seq;
