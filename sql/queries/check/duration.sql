-- actual_duration_mins of a completed item is the time since its start in whole minutes; an open one has none.
WITH item AS (
    SELECT id, actual_duration_mins, status = 'completed' AS completed,
        status IN ('failed', 'cancelled') AS given_up,
        extract(epoch FROM completed_at - started_at) AS seconds
    FROM process_instances
    UNION ALL
    SELECT id, actual_duration_mins, status = 'completed', status IN ('failed', 'skipped', 'cancelled'),
        extract(epoch FROM completed_at - started_at)
    FROM tasks
)
SELECT id, concat('actual_duration_mins is ', coalesce(actual_duration_mins::text, 'empty'),
    CASE WHEN completed THEN concat(', it took ', seconds, ' seconds') ELSE ', it is open' END) AS detail
FROM item
WHERE CASE
    -- Half a minute may be rounded either way.
    WHEN completed AND seconds IS NOT NULL THEN coalesce(abs(60::bigint * actual_duration_mins - seconds) > 30, true)
    WHEN NOT given_up THEN actual_duration_mins IS NOT NULL
END
