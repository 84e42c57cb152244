-- ready_at is the instant of the last dependency's end, or of creation if that is later; none while blocked.
WITH done AS (
    SELECT task_id AS id, max(timestamp) AS instant
    FROM process_events
    WHERE task_id IS NOT NULL AND new_status IN ('completed', 'skipped')
    GROUP BY task_id
), dependencies AS (
    SELECT t.id, count(*) > count(done.id) AS open, max(done.instant) AS last_done
    FROM tasks t
        CROSS JOIN LATERAL unnest(t.depends_on) AS dependency (id)
        LEFT JOIN done ON done.id = dependency.id
    GROUP BY t.id
), expected AS (
    SELECT t.id, t.ready_at, CASE WHEN d.open THEN NULL ELSE greatest(t.created_at, d.last_done) END AS instant
    FROM tasks t LEFT JOIN dependencies d ON d.id = t.id
)
SELECT id, concat('ready_at is ', coalesce(ready_at::text, 'empty'),
    ', its dependencies say ', coalesce(instant::text, 'blocked')) AS detail
FROM expected
WHERE ready_at IS DISTINCT FROM instant
