-- An item shows the SLA status and breach time of its clock due first: of those that run, else stand still, else ended last.
WITH shown AS (
    SELECT DISTINCT ON (process_instance_id, task_id) process_instance_id, task_id, status, due_at
    FROM sla_metrics
    ORDER BY process_instance_id, task_id, end_time DESC NULLS FIRST, running_since IS NULL, due_at,
        objective COLLATE "C"
), item AS (
    SELECT id, NULL::uuid AS task_id, sla_status, sla_breach_time FROM process_instances
    UNION ALL
    SELECT process_instance_id, id, sla_status, sla_breach_time FROM tasks
)
SELECT coalesce(item.task_id, item.id) AS id,
    concat('shows ', item.sla_status, ', its clock is ', coalesce(shown.status, 'none')) AS detail
FROM item
    LEFT JOIN shown ON shown.process_instance_id = item.id AND shown.task_id IS NOT DISTINCT FROM item.task_id
WHERE item.sla_status <> coalesce(shown.status, 'on_track')
    OR item.sla_breach_time <> shown.due_at
