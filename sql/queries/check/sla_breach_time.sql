-- An item has a breach time just when it is breached.
SELECT id, concat('process is ', sla_status, ', breach time ', coalesce(sla_breach_time::text, 'none')) AS detail
FROM process_instances
WHERE (sla_status = 'breached') <> (sla_breach_time IS NOT NULL)
UNION ALL
SELECT id, concat('task is ', sla_status, ', breach time ', coalesce(sla_breach_time::text, 'none'))
FROM tasks
WHERE (sla_status = 'breached') <> (sla_breach_time IS NOT NULL)
