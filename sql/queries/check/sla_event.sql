-- Since it was last recomputed, each SLA event of an item's objective, per level, was told once; a verdict was told.
WITH recomputed AS (
    SELECT process_instance_id, task_id, max(seq) AS seq
    FROM process_events WHERE event_type = 'sla.recomputed'
    GROUP BY process_instance_id, task_id
), told AS (
    SELECT e.process_instance_id, e.task_id, e.event_type, e.details ->> 'objective' AS objective, count(*) AS times
    FROM process_events e
        LEFT JOIN recomputed r ON r.process_instance_id = e.process_instance_id
            AND r.task_id IS NOT DISTINCT FROM e.task_id
    WHERE e.event_type IN ('sla.at_risk', 'sla.met', 'sla.breached', 'escalation.triggered')
        AND (r.seq IS NULL OR e.seq > r.seq)
    GROUP BY e.process_instance_id, e.task_id, e.event_type, e.details ->> 'objective', e.details ->> 'level'
)
SELECT coalesce(task_id, process_instance_id) AS id,
    concat(event_type, ' of ', objective, ' was told ', times, ' times') AS detail
FROM told
WHERE times > 1
UNION ALL
SELECT coalesce(c.task_id, c.process_instance_id), concat(c.objective, ' is ', c.status, ', no event told it')
FROM sla_metrics c
    LEFT JOIN told ON told.process_instance_id = c.process_instance_id
        AND told.task_id IS NOT DISTINCT FROM c.task_id
        AND told.event_type = concat('sla.', c.status) AND told.objective = c.objective
WHERE c.status IN ('met', 'breached') AND told.event_type IS NULL
    AND NOT EXISTS (
        SELECT FROM recomputed r
        WHERE r.process_instance_id = c.process_instance_id AND r.task_id IS NOT DISTINCT FROM c.task_id)
