-- open_dependencies counts the tasks of depends_on that are neither completed nor skipped.
WITH waiting AS (
    SELECT t.id, count(*) AS dependencies
    FROM tasks t
        CROSS JOIN LATERAL unnest(t.depends_on) AS dependency (id)
        JOIN tasks d ON d.id = dependency.id
    WHERE d.status NOT IN ('completed', 'skipped')
    GROUP BY t.id
)
SELECT t.id, concat('open_dependencies is ', t.open_dependencies,
    ', its dependencies say ', coalesce(w.dependencies, 0)) AS detail
FROM tasks t LEFT JOIN waiting w ON w.id = t.id
WHERE t.open_dependencies <> coalesce(w.dependencies, 0)
