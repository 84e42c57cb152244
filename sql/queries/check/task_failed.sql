-- A failed task stands only in a failed or cancelled process.
SELECT t.id, concat('failed task in a process that is ', p.status) AS detail
FROM tasks t JOIN process_instances p ON p.id = t.process_instance_id
WHERE t.status = 'failed' AND p.status NOT IN ('failed', 'cancelled')
