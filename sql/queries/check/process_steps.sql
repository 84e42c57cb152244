-- current_step counts completed and skipped tasks, total_steps all but the cancelled, failed_steps the failed.
WITH counted AS (
    SELECT process_instance_id AS id,
        count(*) FILTER (WHERE status IN ('completed', 'skipped')) AS done,
        count(*) FILTER (WHERE status <> 'cancelled') AS total,
        count(*) FILTER (WHERE status = 'failed') AS failed
    FROM tasks
    GROUP BY process_instance_id
)
SELECT p.id, concat('steps done/total/failed are ', p.current_step, '/', p.total_steps, '/', p.failed_steps,
    ', its tasks say ', coalesce(c.done, 0), '/', coalesce(c.total, 0), '/', coalesce(c.failed, 0)) AS detail
FROM process_instances p LEFT JOIN counted c ON c.id = p.id
WHERE p.current_step <> coalesce(c.done, 0)
    OR p.total_steps <> coalesce(c.total, 0)
    OR p.failed_steps <> coalesce(c.failed, 0)
