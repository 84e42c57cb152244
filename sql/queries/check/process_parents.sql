-- No process is its own ancestor.
WITH RECURSIVE child AS MATERIALIZED (
    SELECT id, parent_process_id
    FROM process_instances
    WHERE parent_process_id IS NOT NULL
), rooted AS (
    -- From the top down, so that each process is met once; what is never met hangs on a circle.
    SELECT id
    FROM child
    WHERE NOT EXISTS (SELECT FROM child parent WHERE parent.id = child.parent_process_id)
    UNION ALL
    SELECT child.id
    FROM rooted JOIN child ON child.parent_process_id = rooted.id
)
SELECT id, concat('process under ', parent_process_id, ' has no topmost ancestor') AS detail
FROM child
WHERE NOT EXISTS (SELECT FROM rooted WHERE rooted.id = child.id)
