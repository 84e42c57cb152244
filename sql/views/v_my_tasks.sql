-- What people have now: assigned or in-progress tasks of running processes, ready or still blocked.
CREATE VIEW v_my_tasks AS
SELECT t.*, t.ready_at IS NOT NULL AS ready, p.process_name, p.process_type
FROM tasks t
JOIN process_instances p ON p.id = t.process_instance_id
WHERE t.status IN ('assigned', 'in_progress') AND p.status = 'running';
