-- A completed process has no open task, nor has a cancelled one.
SELECT p.id, concat(p.status, ' process has task ', t.id, ' still ', t.status) AS detail
FROM process_instances p JOIN tasks t ON t.process_instance_id = p.id
WHERE p.status IN ('completed', 'cancelled') AND t.status IN ('pending', 'assigned', 'in_progress')
