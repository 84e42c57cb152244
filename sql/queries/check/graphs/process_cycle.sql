-- No process is its own ancestor.
WITH suspect AS MATERIALIZED (
    -- A cycle has a parent that is not older than its child.
    SELECT count(*) AS parents
    FROM process_instances c JOIN process_instances p ON p.id = c.parent_process_id
    WHERE p.created_at >= c.created_at
)
SELECT 1 AS graph, id, ARRAY[parent_process_id] AS after
FROM process_instances
WHERE parent_process_id IS NOT NULL AND (SELECT parents FROM suspect) > 0
