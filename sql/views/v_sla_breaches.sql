-- Everything open that is late by its clock, most overdue first: what has been told, and what time has brought since.
CREATE VIEW v_sla_breaches AS
WITH untold AS (
    SELECT process_instance_id, task_id, due_at FROM untold_sla(now()) WHERE sla_status = 'breached')
SELECT breach_type, id, name, 'breached' AS sla_status, due_date, assigned_to,
       round(extract(epoch FROM now() - late_since) / 60)::integer AS minutes_overdue, created_at
FROM (
    SELECT 'process' AS breach_type, id, process_name AS name, due_date, assigned_to, created_at,
           sla_breach_time AS late_since
    FROM process_instances
    WHERE sla_status = 'breached' AND status IN ('pending', 'running', 'suspended')
    UNION ALL
    SELECT 'process', p.id, p.process_name, p.due_date, p.assigned_to, p.created_at, u.due_at
    FROM untold u JOIN process_instances p ON p.id = u.process_instance_id
    WHERE u.task_id IS NULL AND p.status IN ('pending', 'running', 'suspended')
    UNION ALL
    SELECT 'task', id, task_name, due_date, assigned_to, created_at, sla_breach_time
    FROM tasks
    WHERE sla_status = 'breached' AND status IN ('pending', 'assigned', 'in_progress')
    UNION ALL
    SELECT 'task', t.id, t.task_name, t.due_date, t.assigned_to, t.created_at, u.due_at
    FROM untold u JOIN tasks t ON t.id = u.task_id
    WHERE t.status IN ('pending', 'assigned', 'in_progress')) breaches
ORDER BY late_since;
