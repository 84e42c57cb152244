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

-- name: recent
-- The newest events since an instant, as far as the last so many of the log have them, each with the name of its
-- process and of its task; with seen_by, only those of processes that this person sees as one of seen_by_team.
SELECT e.id, e.seq, e.process_instance_id, e.task_id, e.event_type, e.event_category, e.severity, e.user_id,
       e.user_name, e.automated, e.message, e.details, e.old_status, e.new_status, e.old_data, e.new_data,
       e.timestamp, e.correlation_id, e.tags, e.causation_id, encode(e.hash, 'hex'), p.process_name, t.task_name
FROM (SELECT * FROM process_events ORDER BY seq DESC LIMIT :looked_through) e
JOIN process_instances p ON p.id = e.process_instance_id
LEFT JOIN tasks t ON t.id = e.task_id
WHERE e.timestamp > :since
  AND (:seen_by::text IS NULL OR p.assigned_team IS NULL OR p.assigned_team = :seen_by_team::text
       OR :seen_by::text IN (p.initiated_by, p.assigned_to)
       OR EXISTS (SELECT FROM tasks h WHERE h.process_instance_id = p.id
                  AND (h.assigned_to = :seen_by::text OR h.assigned_team = :seen_by_team::text)))
ORDER BY e.seq DESC LIMIT :limit;
