-- Every row that another one names exists.
SELECT p.id, concat('process names definition ', p.process_definition_id,
    ' version ', p.definition_version) AS detail
FROM process_instances p
    LEFT JOIN process_definitions d ON d.id = p.process_definition_id AND d.version = p.definition_version
WHERE p.definition_version IS NOT NULL AND d.id IS NULL
UNION ALL
SELECT c.id, concat('process names parent ', c.parent_process_id)
FROM process_instances c LEFT JOIN process_instances p ON p.id = c.parent_process_id
WHERE c.parent_process_id IS NOT NULL AND p.id IS NULL
UNION ALL
SELECT t.id, concat('task names process ', t.process_instance_id)
FROM tasks t LEFT JOIN process_instances p ON p.id = t.process_instance_id
WHERE p.id IS NULL
UNION ALL
SELECT e.id, concat('event names process ', e.process_instance_id)
FROM process_events e LEFT JOIN process_instances p ON p.id = e.process_instance_id
WHERE p.id IS NULL
UNION ALL
SELECT e.id, concat('event names task ', e.task_id)
FROM process_events e LEFT JOIN tasks t ON t.id = e.task_id
WHERE e.task_id IS NOT NULL AND t.id IS NULL
UNION ALL
SELECT a.id, concat('assignment names task ', a.task_id)
FROM task_assignments a LEFT JOIN tasks t ON t.id = a.task_id
WHERE t.id IS NULL
