-- Durable subscriptions: a name and a position in the event log.

-- One row: the cluster whose transaction ids the log and the positions in it are told by. After a restore into
-- another cluster it is a different one, and nobody reads on until the log has been rebased.
CREATE TABLE event_log (
    only_row          boolean NOT NULL DEFAULT true,
    system_identifier bigint  NOT NULL,
    CONSTRAINT event_log_pkey PRIMARY KEY (only_row),
    CONSTRAINT event_log_only_row_check CHECK (only_row)
);
INSERT INTO event_log (system_identifier) SELECT system_identifier FROM pg_control_system();

-- A subscription reads windows: what read_to shows and read_from does not, in the order of seq, has been passed
-- up to last_seq. How many it has passed, and the sum of their seq, prove that it left none out.
CREATE TABLE event_subscriptions (
    name         text        NOT NULL,
    pattern      text        NOT NULL,
    starts_at    timestamptz,
    started_from pg_snapshot NOT NULL,
    read_from    pg_snapshot NOT NULL,
    read_to      pg_snapshot NOT NULL,
    last_seq     bigint      NOT NULL DEFAULT 0,
    passed       bigint      NOT NULL DEFAULT 0,
    passed_seqs  numeric     NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    moved_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT event_subscriptions_pkey PRIMARY KEY (name),
    CONSTRAINT event_subscriptions_passed_check CHECK (passed >= 0)
);

-- Events that a subscription has passed without their being handled: one that failed and is tried again, those of
-- its process that wait behind it, and the dead, which failed too often.
CREATE TABLE event_deliveries (
    subscription        text        NOT NULL,
    seq                 bigint      NOT NULL,
    process_instance_id uuid        NOT NULL,
    status              text        NOT NULL,
    attempts            integer     NOT NULL DEFAULT 0,
    due_at              timestamptz,
    error               text,
    parked_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT event_deliveries_pkey PRIMARY KEY (subscription, seq),
    CONSTRAINT event_deliveries_subscription_fkey FOREIGN KEY (subscription)
        REFERENCES event_subscriptions (name) ON DELETE CASCADE,
    CONSTRAINT event_deliveries_process_fkey FOREIGN KEY (process_instance_id)
        REFERENCES process_instances (id),
    CONSTRAINT event_deliveries_status_check CHECK (status IN ('retrying', 'behind', 'dead')),
    CONSTRAINT event_deliveries_attempts_check CHECK (attempts >= 0)
);
CREATE INDEX event_deliveries_process_idx ON event_deliveries (process_instance_id, subscription, seq);
CREATE INDEX event_deliveries_due_idx ON event_deliveries (subscription, due_at) WHERE status = 'retrying';

-- A window is found by the transactions that are new in it, and read in the order of seq.
CREATE INDEX process_events_xid_idx ON process_events (xid, seq);
CREATE INDEX process_events_seq_idx ON process_events (seq);

-- The types that a pattern means ("task.completed", "sla.*", "*"), for LIKE.
CREATE FUNCTION event_types(pattern text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN replace(replace(pattern, '_', '\_'), '*', '%');
