-- The events of each process form a chain: whoever changes one has to change all that come after it.

-- causation_id is the event that this one reacts to; hash seals the event and all before it of its process.
ALTER TABLE process_events ADD COLUMN causation_id uuid, ADD COLUMN hash bytea;

-- All that an event says, as a text that no other event has: text quotes what it must, and tells NULL from ''.
-- Not xid, which a restore into another cluster has to number anew.
CREATE FUNCTION event_content(e process_events) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ROW(
        e.seq, e.id, e.process_instance_id, e.task_id, e.event_type, e.event_category, e.severity, e.user_id,
        e.user_name, e.automated, e.message, e.details, e.old_status, e.new_status, e.old_data, e.new_data,
        extract(epoch FROM e.timestamp), e.correlation_id, e.causation_id, e.tags)::text;

-- The hash of an event, from the hash of the one before it (the first has nothing before it) and its content.
CREATE FUNCTION event_link(previous bytea, content text) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN sha256(previous || convert_to(content, 'UTF8'));

-- The events that are there already.
CREATE AGGREGATE pg_temp.event_chain (text) (SFUNC = event_link, STYPE = bytea, INITCOND = '');
ALTER TABLE process_events DISABLE TRIGGER process_events_append_only;
UPDATE process_events e SET hash = linked.hash
FROM (
    SELECT id, pg_temp.event_chain(event_content(e)) OVER (PARTITION BY process_instance_id ORDER BY seq) AS hash
    FROM process_events e) AS linked
WHERE linked.id = e.id;
ALTER TABLE process_events ENABLE TRIGGER process_events_append_only;
DROP AGGREGATE pg_temp.event_chain (text);
ALTER TABLE process_events ALTER COLUMN hash SET NOT NULL;

-- Every event that is written is linked; nobody can forget to. Whoever writes holds the process's row, so
-- nothing comes between the last event and this one.
CREATE FUNCTION link_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT hash INTO NEW.hash FROM process_events
    WHERE process_instance_id = NEW.process_instance_id ORDER BY seq DESC LIMIT 1;
    NEW.hash := event_link(coalesce(NEW.hash, ''), event_content(NEW));
    RETURN NEW;
END $$;
CREATE TRIGGER process_events_link BEFORE INSERT ON process_events
    FOR EACH ROW EXECUTE FUNCTION link_event();

-- What retention deleted, and where the chain of each process ended, so that an audit does not miss it. A process that
-- was given its id by the caller may come again, and go again.
CREATE TABLE deleted_processes (
    process_instance_id uuid        NOT NULL,
    seq                 bigint      NOT NULL,
    hash                bytea       NOT NULL,
    events              bigint      NOT NULL,
    deleted_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT deleted_processes_pkey PRIMARY KEY (process_instance_id, seq)
);
