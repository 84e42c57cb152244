-- Each SLA event of an item, per level, was told once; a verdict that stands in the row was told.
WITH told AS (
    SELECT process_instance_id, task_id, event_type, count(*) AS times
    FROM process_events
    WHERE event_type IN ('sla.at_risk', 'sla.met', 'sla.breached')
    GROUP BY process_instance_id, task_id, event_type, details ->> 'level'
)
SELECT coalesce(task_id, process_instance_id) AS id, concat(event_type, ' was told ', times, ' times') AS detail
FROM told
WHERE times > 1
UNION ALL
SELECT p.id, concat('process is ', p.sla_status, ', no event told it')
FROM process_instances p
    LEFT JOIN told ON told.process_instance_id = p.id AND told.task_id IS NULL
        AND told.event_type = concat('sla.', p.sla_status)
WHERE p.sla_status IN ('met', 'breached') AND told.event_type IS NULL
UNION ALL
SELECT t.id, concat('task is ', t.sla_status, ', no event told it')
FROM tasks t LEFT JOIN told ON told.task_id = t.id AND told.event_type = concat('sla.', t.sla_status)
WHERE t.sla_status IN ('met', 'breached') AND told.event_type IS NULL
