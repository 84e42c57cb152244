-- An open task is blocked just when it has open dependencies, waiting only in progress; a closed one is neither.
SELECT id, concat(status, ' task with ', open_dependencies, ' open dependencies is ',
    coalesce(substatus, 'without substatus')) AS detail
FROM tasks
WHERE CASE
    WHEN status NOT IN ('pending', 'assigned', 'in_progress') THEN substatus IS NOT NULL
    WHEN open_dependencies > 0 THEN substatus IS DISTINCT FROM 'blocked'
    ELSE substatus = 'blocked' OR (substatus = 'waiting' AND status <> 'in_progress')
END
