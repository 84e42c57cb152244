-- Every change of status starts from the status that the item's change before left; its first, from none.
WITH change AS (
    SELECT id, old_status,
        lag(new_status) OVER (PARTITION BY process_instance_id ORDER BY seq) AS status_before
    FROM process_events
    WHERE task_id IS NULL AND new_status IS NOT NULL
    UNION ALL
    SELECT id, old_status, lag(new_status) OVER (PARTITION BY task_id ORDER BY seq)
    FROM process_events
    WHERE task_id IS NOT NULL AND new_status IS NOT NULL
)
SELECT id, concat('event starts from ', coalesce(old_status, 'nothing'),
    ', the one before left ', coalesce(status_before, 'nothing')) AS detail
FROM change
WHERE old_status IS DISTINCT FROM status_before
UNION ALL
SELECT id, concat('event leaves ', old_status, ' and names no new status')
FROM process_events
WHERE old_status IS NOT NULL AND new_status IS NULL
