-- blocking is the exact inverse of depends_on, without repetition.
WITH edge AS (
    SELECT t.id AS dependent, dependency.id AS dependency, 1 AS forth, 0 AS back
    FROM tasks t CROSS JOIN LATERAL unnest(t.depends_on) AS dependency (id)
    UNION ALL
    SELECT dependent.id, t.id, 0, 1
    FROM tasks t CROSS JOIN LATERAL unnest(t.blocking) AS dependent (id)
)
SELECT dependent AS id, concat('depends on ', dependency, ' ', sum(forth),
    ' times, which blocks it ', sum(back), ' times') AS detail
FROM edge
GROUP BY dependent, dependency
HAVING sum(forth) <> 1 OR sum(back) <> 1
