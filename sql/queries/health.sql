-- How the database does and what it holds now, for probes and metrics.

-- name: state
-- The revision of the tables; and of a lease its epoch (NULL when nobody ever had it) and whether somebody holds it.
SELECT v.version_num, l.epoch, coalesce(l.expires_at > clock_timestamp(), false)
FROM alembic_version v LEFT JOIN job_lease l ON l.name = :lease AND l.epoch > 0;

-- name: figures
-- What is open now, as (figure, label, value): tasks and processes by status and by SLA status, ready tasks of running
-- processes that nobody has by team, and when each job last succeeded, in seconds since 1970.
WITH open_tasks AS MATERIALIZED (
    SELECT status, sla_status, count(*) AS items FROM tasks
    WHERE status IN ('pending', 'assigned', 'in_progress') GROUP BY status, sla_status),
open_processes AS MATERIALIZED (
    SELECT status, sla_status, count(*) AS items FROM process_instances
    WHERE status IN ('pending', 'running', 'suspended') GROUP BY status, sla_status),
queued AS MATERIALIZED (
    SELECT coalesce(t.assigned_team, '') AS team, count(*) AS items
    FROM tasks t JOIN process_instances p ON p.id = t.process_instance_id AND p.status = 'running'
    WHERE t.status = 'pending' AND t.ready_at IS NOT NULL GROUP BY team)
SELECT 'tasks' AS figure, status AS label, sum(items)::float8 AS value FROM open_tasks GROUP BY status
UNION ALL SELECT 'task_sla', sla_status, sum(items) FROM open_tasks GROUP BY sla_status
UNION ALL SELECT 'processes', status, sum(items) FROM open_processes GROUP BY status
UNION ALL SELECT 'process_sla', sla_status, sum(items) FROM open_processes GROUP BY sla_status
UNION ALL SELECT 'queue', coalesce(team, name), coalesce(items, 0) FROM teams FULL JOIN queued ON name = team
UNION ALL SELECT 'job_success', job, extract(epoch FROM ended_at) FROM unnest(:jobs::text[]) AS wanted (job)
    CROSS JOIN LATERAL (
        SELECT ended_at FROM job_runs r WHERE r.job = wanted.job AND r.status = 'succeeded'
        ORDER BY slot DESC LIMIT 1) newest;
