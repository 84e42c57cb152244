-- What scheduled jobs did. Whatever writes here is fenced, but for the deletion of old runs.

-- name: abandon
-- Nobody can be at these runs of a job any more: those under this lease, by which the caller runs the job and
-- nobody else, and those under a lease that has lapsed. To lock that one is to wait for a commit in flight.
WITH lapsed AS (
    SELECT name FROM job_lease
    WHERE name <> :lease AND expires_at <= clock_timestamp()
      AND name IN (SELECT lease FROM job_runs WHERE job = :job AND status = 'running')
    FOR UPDATE)
UPDATE job_runs SET status = 'abandoned', ended_at = clock_timestamp()
WHERE job = :job AND status = 'running' AND (lease = :lease OR lease IN (SELECT name FROM lapsed));

-- name: newest
-- The newest slot of a job that was begun, and what became of it. What somebody ran by hand and did not end
-- counts for nothing.
SELECT slot, status FROM job_runs
WHERE job = :job AND NOT (status = 'abandoned' AND lease <> :lease)
ORDER BY slot DESC, attempt DESC LIMIT 1;

-- name: begin
-- The next attempt at a slot; no row when the slot is done, failed or not yet due, or the job is running.
INSERT INTO job_runs (id, job, slot, attempt, lease, epoch, holder, status, started_at)
SELECT :id, :job, :slot,
       1 + coalesce((SELECT max(attempt) FROM job_runs WHERE job = :job AND slot = :slot), 0),
       :lease, :epoch, :holder, 'running', clock_timestamp()
WHERE :slot::timestamptz <= clock_timestamp()
  AND NOT EXISTS (SELECT FROM job_runs WHERE job = :job AND slot = :slot AND status <> 'abandoned')
  AND NOT EXISTS (SELECT FROM job_runs WHERE job = :job AND status = 'running')
RETURNING attempt;

-- name: finish
-- A run has ended, as a whole row; no row when it ended before.
UPDATE job_runs SET
    status = :status, details = :details, error = :error, ended_at = clock_timestamp(),
    duration_ms = extract(epoch FROM clock_timestamp() - started_at) * 1000
WHERE id = :id AND status = 'running';

-- name: get
-- One run.
SELECT * FROM job_runs WHERE id = :id;

-- name: list
-- The runs of a job, or of all jobs, newest first.
SELECT * FROM job_runs WHERE :job::text IS NULL OR job = :job ORDER BY started_at DESC, id DESC LIMIT :limit;

-- name: last
-- The newest run of each job.
SELECT newest.* FROM unnest(:jobs::text[]) AS wanted (job)
CROSS JOIN LATERAL (
    SELECT * FROM job_runs r WHERE r.job = wanted.job ORDER BY slot DESC, attempt DESC LIMIT 1) newest;

-- name: delete_old
-- Runs of more than 30 days ago are forgotten, the oldest first.
WITH old AS (
    SELECT id FROM job_runs
    WHERE started_at < clock_timestamp() - interval '30 days' AND status <> 'running'
    ORDER BY started_at LIMIT :most),
gone AS (DELETE FROM job_runs WHERE id IN (SELECT id FROM old) RETURNING 1)
SELECT count(*) FROM gone;
