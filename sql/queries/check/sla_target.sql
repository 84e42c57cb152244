-- An item with a target of its own has a clock for it from its start, or from the moment that it is ready.
SELECT p.id, 'process with a target has no clock for it' AS detail
FROM process_instances p
WHERE p.sla_target_mins IS NOT NULL AND p.started_at IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM sla_metrics c
        WHERE c.process_instance_id = p.id AND c.task_id IS NULL AND c.objective = 'sla_target_mins')
UNION ALL
SELECT t.id, 'task with a target has no clock for it'
FROM tasks t
WHERE t.sla_target_mins IS NOT NULL AND t.ready_at IS NOT NULL AND t.status IN ('pending', 'assigned', 'in_progress')
    AND NOT EXISTS (SELECT FROM sla_metrics c WHERE c.task_id = t.id AND c.objective = 'sla_target_mins')
