-- The instants of a process's events never go backwards.
WITH event AS (
    SELECT id, timestamp, lag(timestamp) OVER (PARTITION BY process_instance_id ORDER BY seq) AS instant_before
    FROM process_events
)
SELECT id, concat('event of ', timestamp, ' follows one of ', instant_before) AS detail
FROM event
WHERE timestamp < instant_before
