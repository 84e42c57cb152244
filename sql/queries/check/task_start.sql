-- A task was started only after every task it depends on was completed or skipped.
WITH started AS (
    SELECT task_id AS id, min(seq) AS seq
    FROM process_events
    WHERE task_id IS NOT NULL AND event_type = 'task.started'
    GROUP BY task_id
), done AS (
    SELECT task_id AS id, max(seq) AS seq
    FROM process_events
    WHERE task_id IS NOT NULL AND new_status IN ('completed', 'skipped')
    GROUP BY task_id
)
SELECT t.id, concat('started while it waited for ', dependency.id) AS detail
FROM tasks t
    JOIN started ON started.id = t.id
    CROSS JOIN LATERAL unnest(t.depends_on) AS dependency (id)
    LEFT JOIN done ON done.id = dependency.id
WHERE coalesce(done.seq > started.seq, true)
