-- current_phase is the phase of the earliest open task; none when none is open.
WITH earliest AS (
    SELECT DISTINCT ON (process_instance_id) process_instance_id AS id, phase
    FROM tasks
    WHERE status IN ('pending', 'assigned', 'in_progress')
    ORDER BY process_instance_id, position
)
SELECT p.id, concat('phase is ', coalesce(p.current_phase, 'none'),
    ', its earliest open task says ', coalesce(e.phase, 'none')) AS detail
FROM process_instances p LEFT JOIN earliest e ON e.id = p.id
WHERE p.current_phase IS DISTINCT FROM e.phase
