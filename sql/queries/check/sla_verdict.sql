-- With a target, completed or skipped at or before due is met, after it breached; nothing else is met.
WITH item AS (
    SELECT id, sla_status, sla_breach_time, due_date, completed_at, status = 'completed' AS done, false AS unready
    FROM process_instances
    WHERE sla_target_mins IS NOT NULL
    UNION ALL
    SELECT id, sla_status, sla_breach_time, due_date, completed_at, status IN ('completed', 'skipped'),
        coalesce(completed_at <= ready_at, true)
    FROM tasks
    WHERE sla_target_mins IS NOT NULL
)
SELECT id, concat('SLA is ', sla_status, ', due ', coalesce(due_date::text, 'never'),
    ', ended ', CASE WHEN done THEN completed_at::text ELSE 'not yet' END) AS detail
FROM item
WHERE CASE
    WHEN NOT done OR due_date IS NULL THEN sla_status = 'met'
    -- Skipped while it was blocked: its clock had not started.
    WHEN unready AND sla_status = 'on_track' THEN false
    WHEN completed_at > due_date THEN sla_status <> 'breached'
    -- A due date that was moved later does not undo a breach.
    ELSE sla_status <> 'met' AND NOT (sla_status = 'breached' AND coalesce(sla_breach_time < completed_at, false))
END
