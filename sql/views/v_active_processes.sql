-- Processes that are not over, with how many tasks they have, have done and have open.
CREATE VIEW v_active_processes AS
SELECT p.*,
       p.total_steps AS total_tasks,
       p.current_step AS completed_tasks,
       p.total_steps - p.current_step - p.failed_steps AS active_tasks
FROM process_instances p
WHERE p.status IN ('pending', 'running', 'suspended');
