-- The task graphs that positions do not prove free of cycles: some task there precedes one it depends on.
SELECT process_instance_id, id, depends_on
FROM tasks
WHERE depends_on <> '{}' AND process_instance_id IN (
    SELECT t.process_instance_id
    FROM tasks t
        CROSS JOIN LATERAL unnest(t.depends_on) AS dependency (id)
        JOIN tasks d ON d.id = dependency.id
    WHERE d.position >= t.position)
ORDER BY process_instance_id
