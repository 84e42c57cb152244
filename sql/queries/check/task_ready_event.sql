-- A task freed while open has one task.ready, after the end of its last dependency; no task has two.
WITH told AS (
    SELECT task_id AS id,
        min(seq) FILTER (WHERE old_status IS NULL AND new_status IS NOT NULL) AS created,
        max(seq) FILTER (WHERE new_status IN ('completed', 'skipped')) AS done,
        min(seq) FILTER (WHERE new_status IN ('completed', 'skipped', 'cancelled')) AS closed,
        min(seq) FILTER (WHERE event_type = 'task.ready') AS ready,
        count(*) FILTER (WHERE event_type = 'task.ready') AS times
    FROM process_events
    WHERE task_id IS NOT NULL
    GROUP BY task_id
), freed AS (
    SELECT t.id, CASE WHEN count(*) = count(done.done) THEN max(done.done) END AS freed
    FROM tasks t
        CROSS JOIN LATERAL unnest(t.depends_on) AS dependency (id)
        LEFT JOIN told done ON done.id = dependency.id
    GROUP BY t.id
)
SELECT told.id, concat('task.ready was told ', told.times, ' times') AS detail
FROM told
WHERE told.times > 1
UNION ALL
SELECT told.id, 'task.ready was told before the last dependency ended'
FROM told JOIN freed ON freed.id = told.id
WHERE told.ready < coalesce(freed.freed, told.ready + 1)
UNION ALL
SELECT told.id, 'task.ready was not told'
FROM told JOIN freed ON freed.id = told.id
WHERE told.times = 0 AND freed.freed > told.created AND coalesce(told.closed > freed.freed, true)
