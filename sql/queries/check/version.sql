-- Versions count from 1.
SELECT id, concat('process has version ', version) AS detail FROM process_instances WHERE version < 1
UNION ALL
SELECT id, concat('task has version ', version) FROM tasks WHERE version < 1
