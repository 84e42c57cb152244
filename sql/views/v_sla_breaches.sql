-- Everything open that is past due with a target, most overdue first.
CREATE VIEW v_sla_breaches AS
SELECT breach_type, id, name, sla_status, due_date, assigned_to,
       round(extract(epoch FROM now() - due_date) / 60)::integer AS minutes_overdue, created_at
FROM (
    SELECT 'process' AS breach_type, id, process_name AS name, sla_status, due_date, assigned_to, created_at
    FROM process_instances
    WHERE sla_status = 'breached' AND status IN ('pending', 'running', 'suspended')
    UNION ALL
    SELECT 'task', id, task_name, sla_status, due_date, assigned_to, created_at
    FROM tasks
    WHERE sla_status = 'breached' AND status IN ('pending', 'assigned', 'in_progress')) breaches
ORDER BY due_date;
