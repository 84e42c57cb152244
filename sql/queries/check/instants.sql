-- created_at, started_at (first start) and completed_at of a row are the instants of its events.
WITH process_told AS (
    SELECT process_instance_id AS id,
        min(timestamp) FILTER (WHERE old_status IS NULL) AS created,
        min(timestamp) FILTER (WHERE new_status = 'running') AS started,
        max(timestamp) FILTER (WHERE new_status = 'completed') AS completed
    FROM process_events
    WHERE task_id IS NULL AND new_status IS NOT NULL
    GROUP BY process_instance_id
), task_told AS (
    SELECT task_id AS id,
        min(timestamp) FILTER (WHERE old_status IS NULL AND new_status IS NOT NULL) AS created,
        min(timestamp) FILTER (WHERE event_type = 'task.started') AS started,
        max(timestamp) FILTER (WHERE new_status IN ('completed', 'skipped')) AS completed
    FROM process_events
    WHERE task_id IS NOT NULL
    GROUP BY task_id
), item AS (
    SELECT 'process' AS kind, p.id, p.created_at, p.started_at, p.completed_at, told.created, told.started,
        CASE
            WHEN p.status = 'completed' THEN told.completed
            WHEN p.status IN ('failed', 'cancelled') THEN p.completed_at
        END AS completed
    FROM process_instances p JOIN process_told told ON told.id = p.id
    UNION ALL
    SELECT 'task', t.id, t.created_at, t.started_at, t.completed_at, told.created, told.started,
        CASE
            WHEN t.status IN ('completed', 'skipped') THEN told.completed
            WHEN t.status IN ('failed', 'cancelled') THEN t.completed_at
        END
    FROM tasks t JOIN task_told told ON told.id = t.id
)
SELECT id, concat(kind, ' was created/started/completed at ', concat_ws(', ', created_at,
    coalesce(started_at::text, 'never'), coalesce(completed_at::text, 'never')), '; its events say ',
    concat_ws(', ', created, coalesce(started::text, 'never'), coalesce(completed::text, 'never'))) AS detail
FROM item
WHERE created_at <> created
    OR started_at IS DISTINCT FROM started
    OR completed_at IS DISTINCT FROM completed
