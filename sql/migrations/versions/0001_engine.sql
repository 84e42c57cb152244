-- The engine's ground: the seven tables of the contract, and beside them the published
-- process definitions and the idempotency keys. Every id is a UUID given by the application or the
-- caller; every instant is timestamptz. Names of constraints and indexes are those of
-- gndp/store/models/: a test migrates an empty database and compares the two.

-- Published versions of process definitions: immutable documents, numbered from 1 per id.
CREATE TABLE process_definitions (
    id              text        NOT NULL,
    version         integer     NOT NULL,
    name            text        NOT NULL,
    document        jsonb       NOT NULL,
    fingerprint     text        NOT NULL,
    published_at    timestamptz NOT NULL,
    published_by    text        NOT NULL,
    CONSTRAINT process_definitions_pkey PRIMARY KEY (id, version),
    CONSTRAINT process_definitions_version_check CHECK (version >= 1)
);

CREATE TABLE process_instances (
    id                      uuid         NOT NULL,
    process_definition_id   text         NOT NULL,
    definition_version      integer,
    process_name            text         NOT NULL,
    process_type            text         NOT NULL,
    status                  text         NOT NULL,
    current_phase           text,
    current_step            integer      NOT NULL DEFAULT 0,
    total_steps             integer      NOT NULL DEFAULT 0,
    failed_steps            integer      NOT NULL DEFAULT 0,
    progress_percentage     numeric(5,2) NOT NULL DEFAULT 0,
    initiated_by            text         NOT NULL,
    assigned_to             text,
    assigned_team           text,
    business_context        jsonb        NOT NULL DEFAULT '{}',
    input_data              jsonb        NOT NULL DEFAULT '{}',
    output_data             jsonb        NOT NULL DEFAULT '{}',
    variables               jsonb        NOT NULL DEFAULT '{}',
    created_at              timestamptz  NOT NULL,
    started_at              timestamptz,
    completed_at            timestamptz,
    due_date                timestamptz,
    estimated_duration_mins integer,
    actual_duration_mins    integer,
    sla_target_mins         integer,
    sla_status              text         NOT NULL DEFAULT 'on_track',
    sla_breach_time         timestamptz,
    priority                text         NOT NULL DEFAULT 'medium',
    tags                    text[]       NOT NULL DEFAULT '{}',
    parent_process_id       uuid,
    auto_complete           boolean      NOT NULL DEFAULT true,
    error_message           text,
    retry_count             integer      NOT NULL DEFAULT 0,
    max_retries             integer      NOT NULL DEFAULT 3,
    updated_at              timestamptz  NOT NULL DEFAULT now(),
    version                 integer      NOT NULL DEFAULT 1,
    CONSTRAINT process_instances_pkey PRIMARY KEY (id),
    CONSTRAINT process_instances_definition_fkey FOREIGN KEY (process_definition_id, definition_version)
        REFERENCES process_definitions (id, version),
    CONSTRAINT process_instances_parent_fkey FOREIGN KEY (parent_process_id)
        REFERENCES process_instances (id),
    CONSTRAINT process_instances_status_check CHECK (status IN
        ('pending', 'running', 'suspended', 'completed', 'failed', 'cancelled')),
    CONSTRAINT process_instances_sla_status_check CHECK (sla_status IN
        ('on_track', 'at_risk', 'breached', 'met')),
    CONSTRAINT process_instances_priority_check CHECK (priority IN ('low', 'medium', 'high', 'critical')),
    CONSTRAINT process_instances_progress_check CHECK (progress_percentage BETWEEN 0 AND 100),
    CONSTRAINT process_instances_steps_check CHECK
        (current_step >= 0 AND failed_steps >= 0 AND current_step + failed_steps <= total_steps),
    CONSTRAINT process_instances_sla_target_check CHECK (sla_target_mins > 0),
    CONSTRAINT process_instances_retries_check CHECK (retry_count >= 0 AND max_retries >= 0)
);

CREATE TABLE tasks (
    id                      uuid        NOT NULL,
    process_instance_id     uuid        NOT NULL,
    task_definition_id      text        NOT NULL,
    task_name               text        NOT NULL,
    task_type               text        NOT NULL,
    status                  text        NOT NULL,
    substatus               text,
    phase                   text,
    position                integer     NOT NULL,
    assigned_to             text,
    assigned_team           text,
    assignment_method       text        NOT NULL DEFAULT 'manual',
    claimed_by              text,
    claimed_at              timestamptz,
    depends_on              uuid[]      NOT NULL DEFAULT '{}',
    blocking                uuid[]      NOT NULL DEFAULT '{}',
    open_dependencies       integer     NOT NULL DEFAULT 0,
    ready_at                timestamptz,
    input_data              jsonb       NOT NULL DEFAULT '{}',
    output_data             jsonb       NOT NULL DEFAULT '{}',
    form_data               jsonb       NOT NULL DEFAULT '{}',
    created_at              timestamptz NOT NULL,
    started_at              timestamptz,
    completed_at            timestamptz,
    due_date                timestamptz,
    estimated_duration_mins integer,
    actual_duration_mins    integer,
    sla_target_mins         integer,
    sla_status              text        NOT NULL DEFAULT 'on_track',
    sla_breach_time         timestamptz,
    retry_count             integer     NOT NULL DEFAULT 0,
    max_retries             integer     NOT NULL DEFAULT 3,
    error_message           text,
    priority                text        NOT NULL DEFAULT 'medium',
    tags                    text[]      NOT NULL DEFAULT '{}',
    notes                   text,
    wait_until              timestamptz,
    updated_at              timestamptz NOT NULL DEFAULT now(),
    version                 integer     NOT NULL DEFAULT 1,
    CONSTRAINT tasks_pkey PRIMARY KEY (id),
    CONSTRAINT tasks_process_fkey FOREIGN KEY (process_instance_id) REFERENCES process_instances (id),
    CONSTRAINT tasks_status_check CHECK (status IN
        ('pending', 'assigned', 'in_progress', 'completed', 'failed', 'skipped', 'cancelled')),
    CONSTRAINT tasks_substatus_check CHECK (substatus IN ('blocked', 'ready', 'waiting')),
    CONSTRAINT tasks_sla_status_check CHECK (sla_status IN ('on_track', 'at_risk', 'breached', 'met')),
    CONSTRAINT tasks_priority_check CHECK (priority IN ('low', 'medium', 'high', 'critical')),
    CONSTRAINT tasks_assignment_method_check CHECK (assignment_method IN
        ('manual', 'round_robin', 'load_balanced', 'skill_based')),
    CONSTRAINT tasks_open_dependencies_check CHECK (open_dependencies >= 0),
    CONSTRAINT tasks_sla_target_check CHECK (sla_target_mins > 0),
    CONSTRAINT tasks_retries_check CHECK (retry_count >= 0 AND max_retries >= 0)
);

-- The audit log: append-only, ordered by seq, stamped with the writing transaction.
CREATE TABLE process_events (
    id                  uuid        NOT NULL,
    seq                 bigint      GENERATED ALWAYS AS IDENTITY,
    xid                 xid8        NOT NULL DEFAULT pg_current_xact_id(),
    process_instance_id uuid        NOT NULL,
    task_id             uuid,
    event_type          text        NOT NULL,
    event_category      text        NOT NULL,
    severity            text        NOT NULL DEFAULT 'info',
    user_id             text,
    user_name           text,
    automated           boolean     NOT NULL DEFAULT false,
    message             text        NOT NULL,
    details             jsonb       NOT NULL DEFAULT '{}',
    old_status          text,
    new_status          text,
    old_data            jsonb,
    new_data            jsonb,
    timestamp           timestamptz NOT NULL,
    correlation_id      text,
    tags                text[]      NOT NULL DEFAULT '{}',
    CONSTRAINT process_events_pkey PRIMARY KEY (id),
    CONSTRAINT process_events_process_fkey FOREIGN KEY (process_instance_id) REFERENCES process_instances (id),
    CONSTRAINT process_events_task_fkey FOREIGN KEY (task_id) REFERENCES tasks (id),
    CONSTRAINT process_events_severity_check CHECK (severity IN ('info', 'warning', 'error', 'critical'))
);

CREATE TABLE sla_metrics (
    id                     uuid        NOT NULL,
    process_instance_id    uuid        NOT NULL,
    task_id                uuid,
    metric_type            text        NOT NULL,
    target_duration_mins   integer     NOT NULL,
    warning_threshold_mins integer,
    actual_duration_mins   integer,
    start_time             timestamptz NOT NULL,
    end_time               timestamptz,
    status                 text        NOT NULL DEFAULT 'on_track',
    breach_amount_mins     integer,
    business_impact        text,
    escalation_required    boolean     NOT NULL DEFAULT false,
    escalated_to           text,
    escalated_at           timestamptz,
    created_at             timestamptz NOT NULL,
    updated_at             timestamptz NOT NULL DEFAULT now(),
    version                integer     NOT NULL DEFAULT 1,
    CONSTRAINT sla_metrics_pkey PRIMARY KEY (id),
    CONSTRAINT sla_metrics_process_fkey FOREIGN KEY (process_instance_id) REFERENCES process_instances (id),
    CONSTRAINT sla_metrics_task_fkey FOREIGN KEY (task_id) REFERENCES tasks (id),
    CONSTRAINT sla_metrics_metric_type_check CHECK (metric_type IN ('process', 'task', 'phase')),
    CONSTRAINT sla_metrics_status_check CHECK (status IN ('on_track', 'at_risk', 'breached', 'met')),
    CONSTRAINT sla_metrics_target_check CHECK (target_duration_mins > 0)
);

CREATE TABLE task_assignments (
    id                    uuid        NOT NULL,
    task_id               uuid        NOT NULL,
    assigned_to           text        NOT NULL,
    assigned_by           text,
    assignment_method     text        NOT NULL DEFAULT 'manual',
    status                text        NOT NULL DEFAULT 'active',
    assigned_at           timestamptz NOT NULL,
    accepted_at           timestamptz,
    completed_at          timestamptz,
    time_to_accept_mins   integer,
    time_to_complete_mins integer,
    reason                text,
    CONSTRAINT task_assignments_pkey PRIMARY KEY (id),
    CONSTRAINT task_assignments_task_fkey FOREIGN KEY (task_id) REFERENCES tasks (id),
    CONSTRAINT task_assignments_method_check CHECK (assignment_method IN
        ('manual', 'round_robin', 'load_balanced', 'skill_based')),
    CONSTRAINT task_assignments_status_check CHECK (status IN
        ('active', 'reassigned', 'completed', 'cancelled'))
);

CREATE TABLE workflow_rules (
    id                    uuid        NOT NULL,
    rule_name             text        NOT NULL,
    rule_type             text        NOT NULL,
    applies_to            text        NOT NULL DEFAULT 'all',
    process_type          text,
    process_definition_id text,
    condition_expression  jsonb       NOT NULL,
    action_type           text        NOT NULL,
    action_config         jsonb       NOT NULL DEFAULT '{}',
    enabled               boolean     NOT NULL DEFAULT true,
    priority              integer     NOT NULL DEFAULT 100,
    created_at            timestamptz NOT NULL,
    created_by            text        NOT NULL,
    updated_at            timestamptz NOT NULL DEFAULT now(),
    updated_by            text,
    description           text,
    tags                  text[]      NOT NULL DEFAULT '{}',
    version               integer     NOT NULL DEFAULT 1,
    CONSTRAINT workflow_rules_pkey PRIMARY KEY (id),
    CONSTRAINT workflow_rules_rule_name_key UNIQUE (rule_name),
    CONSTRAINT workflow_rules_rule_type_check CHECK (rule_type IN ('routing', 'sla', 'assignment', 'escalation')),
    CONSTRAINT workflow_rules_applies_to_check CHECK (applies_to IN ('all', 'process_type', 'specific_process')),
    CONSTRAINT workflow_rules_action_type_check CHECK (action_type IN ('assign', 'escalate', 'notify', 'route'))
);

CREATE TABLE performance_metrics (
    id                        uuid         NOT NULL,
    metric_date               date         NOT NULL,
    metric_hour               integer,
    process_type              text,
    process_definition_id     text,
    user_id                   text,
    team                      text,
    processes_started         integer      NOT NULL DEFAULT 0,
    processes_completed       integer      NOT NULL DEFAULT 0,
    processes_failed          integer      NOT NULL DEFAULT 0,
    tasks_completed           integer      NOT NULL DEFAULT 0,
    tasks_failed              integer      NOT NULL DEFAULT 0,
    avg_process_duration_mins double precision,
    avg_task_duration_mins    double precision,
    sla_breaches              integer      NOT NULL DEFAULT 0,
    sla_compliance_rate       numeric(5,2),
    error_rate                numeric(5,2),
    rework_count              integer      NOT NULL DEFAULT 0,
    created_at                timestamptz  NOT NULL,
    updated_at                timestamptz  NOT NULL DEFAULT now(),
    version                   integer      NOT NULL DEFAULT 1,
    CONSTRAINT performance_metrics_pkey PRIMARY KEY (id),
    CONSTRAINT performance_metrics_dimensions_key UNIQUE NULLS NOT DISTINCT
        (metric_date, metric_hour, process_type, process_definition_id, user_id, team),
    CONSTRAINT performance_metrics_hour_check CHECK (metric_hour BETWEEN 0 AND 23),
    CONSTRAINT performance_metrics_compliance_check CHECK (sla_compliance_rate BETWEEN 0 AND 100),
    CONSTRAINT performance_metrics_error_rate_check CHECK (error_rate BETWEEN 0 AND 100)
);

-- First answers of commands that carried an idempotency key, kept until they expire.
CREATE TABLE idempotency_keys (
    user_id     text        NOT NULL,
    command     text        NOT NULL,
    key         text        NOT NULL,
    arguments   text        NOT NULL,
    answer      jsonb       NOT NULL,
    expires_at  timestamptz NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, command, key)
);

-- Lists: newest first within a status or a person; the status rides along so that a filter on both
-- stays inside the index.
CREATE INDEX process_instances_created_idx  ON process_instances (created_at DESC, id DESC);
CREATE INDEX process_instances_status_idx   ON process_instances (status, created_at DESC, id DESC);
CREATE INDEX process_instances_assignee_idx ON process_instances (assigned_to, created_at DESC, id DESC)
    INCLUDE (status) WHERE assigned_to IS NOT NULL;
CREATE INDEX process_instances_type_idx     ON process_instances (process_type, created_at DESC, id DESC)
    INCLUDE (status);
CREATE INDEX process_instances_parent_idx   ON process_instances (parent_process_id)
    WHERE parent_process_id IS NOT NULL;
CREATE INDEX process_instances_sla_idx      ON process_instances (due_date)
    WHERE sla_status = 'breached' AND status IN ('pending', 'running', 'suspended');

CREATE INDEX tasks_created_idx  ON tasks (created_at DESC, id DESC);
CREATE INDEX tasks_status_idx   ON tasks (status, created_at DESC, id DESC);
CREATE INDEX tasks_assignee_idx ON tasks (assigned_to, created_at DESC, id DESC)
    INCLUDE (status) WHERE assigned_to IS NOT NULL;
-- The steps of a process in their order; current_phase is the phase of its first open one.
CREATE INDEX tasks_process_idx  ON tasks (process_instance_id, position) INCLUDE (status);
CREATE INDEX tasks_open_idx     ON tasks (process_instance_id, position) INCLUDE (phase)
    WHERE status IN ('pending', 'assigned', 'in_progress');
-- my-tasks and workloads: the work that people have now.
CREATE INDEX tasks_mine_idx     ON tasks (assigned_to, due_date)
    WHERE status IN ('assigned', 'in_progress');
CREATE INDEX tasks_sla_idx      ON tasks (due_date)
    WHERE sla_status = 'breached' AND status IN ('pending', 'assigned', 'in_progress');

-- The history of a process in order, and the newest event of a process in one step.
CREATE INDEX process_events_process_idx ON process_events (process_instance_id, seq);

CREATE UNIQUE INDEX task_assignments_active_key ON task_assignments (task_id) WHERE status = 'active';
CREATE INDEX task_assignments_task_idx          ON task_assignments (task_id);
CREATE INDEX task_assignments_assigned_at_idx   ON task_assignments (assigned_at);

CREATE INDEX sla_metrics_process_idx ON sla_metrics (process_instance_id);
CREATE INDEX sla_metrics_task_idx    ON sla_metrics (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX idempotency_keys_expiry_idx ON idempotency_keys (expires_at);

-- low 1, medium 2, high 3, critical 4: the order that priorities have, which their words have not.
CREATE FUNCTION priority_rank(priority text) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN array_position(ARRAY['low', 'medium', 'high', 'critical'], priority);

-- Every update advances version and updated_at; nobody can forget to.
CREATE FUNCTION advance_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    NEW.updated_at := now();
    RETURN NEW;
END $$;

CREATE TRIGGER process_instances_version BEFORE UPDATE ON process_instances
    FOR EACH ROW EXECUTE FUNCTION advance_version();
CREATE TRIGGER tasks_version BEFORE UPDATE ON tasks
    FOR EACH ROW EXECUTE FUNCTION advance_version();
CREATE TRIGGER sla_metrics_version BEFORE UPDATE ON sla_metrics
    FOR EACH ROW EXECUTE FUNCTION advance_version();
CREATE TRIGGER workflow_rules_version BEFORE UPDATE ON workflow_rules
    FOR EACH ROW EXECUTE FUNCTION advance_version();
CREATE TRIGGER performance_metrics_version BEFORE UPDATE ON performance_metrics
    FOR EACH ROW EXECUTE FUNCTION advance_version();

-- The log is history: no statement rewrites it.
CREATE FUNCTION refuse_rewriting_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'process_events is append-only' USING ERRCODE = 'GN002';
END $$;

CREATE TRIGGER process_events_append_only BEFORE UPDATE ON process_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting_history();

-- A guarded write states how many rows it must move; another number aborts the transaction.
CREATE FUNCTION require_rows(moved bigint, expected bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF moved <> expected THEN
        RAISE EXCEPTION 'a guarded write moved % rows instead of %', moved, expected USING ERRCODE = 'GN001';
    END IF;
    RETURN moved;
END $$;
