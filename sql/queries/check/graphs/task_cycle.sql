-- No task waits for itself, by way of others or not.
WITH suspect AS MATERIALIZED (
    -- A cycle has a task that stands before one it depends on; processes without such a one have none.
    SELECT DISTINCT t.process_instance_id
    FROM tasks t
        CROSS JOIN LATERAL unnest(t.depends_on) AS dependency (id)
        JOIN tasks d ON d.id = dependency.id
    WHERE d.position >= t.position
)
SELECT t.process_instance_id AS graph, t.id, t.depends_on AS after
FROM tasks t JOIN suspect ON suspect.process_instance_id = t.process_instance_id
WHERE t.depends_on <> '{}'
ORDER BY t.process_instance_id
