-- Every task of depends_on exists, in the same process.
SELECT t.id, concat('depends on ', dependency.id,
    CASE WHEN d.id IS NULL THEN ', which does not exist' ELSE ', which is of another process' END) AS detail
FROM tasks t
    CROSS JOIN LATERAL unnest(t.depends_on) AS dependency (id)
    LEFT JOIN tasks d ON d.id = dependency.id
WHERE d.process_instance_id IS DISTINCT FROM t.process_instance_id
