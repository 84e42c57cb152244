-- progress_percentage is 100 × (completed + skipped) ÷ (tasks − cancelled), two decimals; 0 without tasks.
WITH counted AS (
    SELECT process_instance_id AS id,
        count(*) FILTER (WHERE status IN ('completed', 'skipped')) AS done,
        count(*) FILTER (WHERE status <> 'cancelled') AS total
    FROM tasks
    GROUP BY process_instance_id
), progress AS (
    SELECT id, round(100.0 * done / nullif(total, 0), 2) AS percentage
    FROM counted
)
SELECT p.id, concat('progress is ', p.progress_percentage, ', its tasks say ', coalesce(g.percentage, 0)) AS detail
FROM process_instances p LEFT JOIN progress g ON g.id = p.id
WHERE p.progress_percentage <> coalesce(g.percentage, 0)
