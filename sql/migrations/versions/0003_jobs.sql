-- Scheduled jobs. Instants here are the database's own clock, which is the same for every server.

-- Who may run jobs: the scheduler's lease, and one per job for runs by hand. The epoch is a new one for every
-- reign, so that who lost the lease and does not know it yet can be told from who has it.
CREATE TABLE job_lease (
    name        text        NOT NULL,
    holder      text,
    epoch       bigint      NOT NULL DEFAULT 0,
    expires_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT job_lease_pkey PRIMARY KEY (name)
);

-- What jobs did: one row per attempt at a slot.
CREATE TABLE job_runs (
    id          uuid        NOT NULL,
    job         text        NOT NULL,
    slot        timestamptz NOT NULL,
    attempt     integer     NOT NULL,
    lease       text        NOT NULL,
    epoch       bigint      NOT NULL,
    holder      text        NOT NULL,
    status      text        NOT NULL,
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    duration_ms bigint,
    details     jsonb       NOT NULL DEFAULT '{}',
    error       text,
    CONSTRAINT job_runs_pkey PRIMARY KEY (id),
    CONSTRAINT job_runs_lease_fkey FOREIGN KEY (lease) REFERENCES job_lease (name),
    CONSTRAINT job_runs_status_check CHECK (status IN ('running', 'succeeded', 'failed', 'abandoned')),
    CONSTRAINT job_runs_attempt_check CHECK (attempt >= 1)
);

-- The attempts of a slot, and the newest slot of a job in one step.
CREATE UNIQUE INDEX job_runs_attempt_key ON job_runs (job, slot, attempt);
-- A slot succeeds once, and a job never overlaps itself: whatever the servers believe.
CREATE UNIQUE INDEX job_runs_slot_key    ON job_runs (job, slot) WHERE status IN ('running', 'succeeded');
CREATE UNIQUE INDEX job_runs_running_key ON job_runs (job) WHERE status = 'running';
CREATE INDEX job_runs_started_idx        ON job_runs (started_at);

-- The events of a task: the foreign key looks for them when retention deletes it.
CREATE INDEX process_events_task_idx ON process_events (task_id) WHERE task_id IS NOT NULL;
