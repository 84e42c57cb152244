-- Without a target no clock runs: the SLA status is on_track and there is no breach.
SELECT id, concat('process without target is ', sla_status,
    ', breach time ', coalesce(sla_breach_time::text, 'none')) AS detail
FROM process_instances
WHERE sla_target_mins IS NULL AND (sla_status <> 'on_track' OR sla_breach_time IS NOT NULL)
UNION ALL
SELECT id, concat('task without target is ', sla_status, ', breach time ', coalesce(sla_breach_time::text, 'none'))
FROM tasks
WHERE sla_target_mins IS NULL AND (sla_status <> 'on_track' OR sla_breach_time IS NOT NULL)
