-- SLA policies, the terms that clocks run by, and the clocks themselves (sla_metrics).

-- Published versions of policies; a retired one starts no more clocks.
CREATE TABLE sla_policies (
    name         text        NOT NULL,
    version      integer     NOT NULL,
    document     json        NOT NULL,
    fingerprint  text        NOT NULL,
    published_at timestamptz NOT NULL,
    published_by text        NOT NULL,
    retired_at   timestamptz,
    CONSTRAINT sla_policies_pkey PRIMARY KEY (name, version),
    CONSTRAINT sla_policies_version_check CHECK (version >= 1)
);

-- What clocks run by: a policy with its calendar as both were when the clock started. Rows never change.
CREATE TABLE sla_terms (
    fingerprint text  NOT NULL,
    document    jsonb NOT NULL,
    CONSTRAINT sla_terms_pkey PRIMARY KEY (fingerprint)
);

-- One row: a number that moves with every change of policies and calendars, so that whoever keeps them in
-- memory sees at once that they are old.
CREATE TABLE sla_revision (
    only_row boolean NOT NULL DEFAULT true,
    revision bigint  NOT NULL DEFAULT 1,
    CONSTRAINT sla_revision_pkey PRIMARY KEY (only_row),
    CONSTRAINT sla_revision_only_row_check CHECK (only_row)
);
INSERT INTO sla_revision DEFAULT VALUES;

CREATE FUNCTION advance_sla_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE sla_revision SET revision = revision + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER sla_policies_revision AFTER INSERT OR UPDATE OR DELETE ON sla_policies
    FOR EACH STATEMENT EXECUTE FUNCTION advance_sla_revision();
CREATE TRIGGER calendars_revision AFTER INSERT OR UPDATE OR DELETE ON calendars
    FOR EACH STATEMENT EXECUTE FUNCTION advance_sla_revision();

-- One row: the last finished sweep has told everything up to an instant, of all that it could see.
CREATE TABLE sla_sweeps (
    only_row boolean     NOT NULL DEFAULT true,
    swept_at timestamptz,
    snapshot pg_snapshot,
    CONSTRAINT sla_sweeps_pkey PRIMARY KEY (only_row),
    CONSTRAINT sla_sweeps_only_row_check CHECK (only_row)
);
INSERT INTO sla_sweeps DEFAULT VALUES;

-- A row of sla_metrics is a clock: what the contract names, and where it stands.
ALTER TABLE sla_metrics
    ADD COLUMN policy_name          text        NOT NULL,
    ADD COLUMN objective            text        NOT NULL,
    ADD COLUMN terms                text        NOT NULL,
    ADD COLUMN due_at               timestamptz NOT NULL,
    ADD COLUMN original_due_at      timestamptz NOT NULL,
    ADD COLUMN elapsed_microseconds bigint      NOT NULL DEFAULT 0,
    ADD COLUMN running_since        timestamptz,
    ADD COLUMN paused_at            timestamptz,
    ADD COLUMN paused_by            jsonb       NOT NULL DEFAULT '[]',
    ADD COLUMN ended                text,
    ADD COLUMN warnings_told        integer     NOT NULL DEFAULT 0,
    ADD COLUMN escalations_told     integer     NOT NULL DEFAULT 0,
    ADD COLUMN next_at              timestamptz,
    ADD CONSTRAINT sla_metrics_terms_fkey FOREIGN KEY (terms) REFERENCES sla_terms (fingerprint),
    ADD CONSTRAINT sla_metrics_objective_key
        UNIQUE NULLS NOT DISTINCT (process_instance_id, task_id, objective),
    ADD CONSTRAINT sla_metrics_ended_check CHECK (ended IN ('stopped', 'cancelled')),
    ADD CONSTRAINT sla_metrics_standing_check CHECK (
        (ended IS NULL) = (end_time IS NULL)
        AND (running_since IS NULL OR (end_time IS NULL AND paused_at IS NULL))
        AND (running_since IS NOT NULL OR end_time IS NOT NULL OR paused_at IS NOT NULL)),
    ADD CONSTRAINT sla_metrics_told_check CHECK (warnings_told >= 0 AND escalations_told >= 0);

DROP INDEX sla_metrics_process_idx;
CREATE INDEX sla_metrics_next_idx ON sla_metrics (next_at, id) WHERE next_at IS NOT NULL;
CREATE INDEX sla_metrics_open_idx ON sla_metrics (process_instance_id) WHERE end_time IS NULL;
