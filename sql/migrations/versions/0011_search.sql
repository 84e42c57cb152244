-- What lists are searched and sorted by.

-- The words of a text, in lower case: whatever stands between spaces, punctuation, symbols, control characters and
-- marks of direction, as far as its first 255 characters. PostgreSQL's own parser is not asked: it takes "order-123"
-- for a word and a negative number, and drops what looks like a tag. A word of more than 2,047 bytes would break a
-- tsvector, and so would more than a megabyte of them.
CREATE FUNCTION search_words(said text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN length(said) <= 255
    THEN array_remove(regexp_split_to_array(lower(said), '[[:space:][:punct:][:cntrl:]$+<=>^`|~\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff]+'), '')
    ELSE ARRAY (
        SELECT left(word, 255)
        FROM regexp_split_to_table(lower(left(said, 200000)), '[[:space:][:punct:][:cntrl:]$+<=>^`|~\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff]+') AS word
        WHERE word <> '')
    END;

-- What finds the rows that have, for each word of a text, a word that begins with it; nothing when it has no word.
CREATE FUNCTION search_query(said text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    coalesce((
        SELECT string_agg('''' || replace(replace(word, '\', '\\'), '''', '''''') || ''':*', ' & ')
        FROM (SELECT DISTINCT unnest(search_words(said)) AS word) AS words), '')::tsquery;

-- What is searched stands beside the tables, not in them: a change of status writes a new version of its row, and
-- that would be entered anew in every index of the table, its words too.
CREATE TABLE task_search (
    task_id            uuid        NOT NULL,
    created_at         timestamptz NOT NULL,
    task_definition_id text        NOT NULL,
    tags               text[]      NOT NULL,
    words              tsvector    NOT NULL,
    CONSTRAINT task_search_pkey PRIMARY KEY (task_id)
);

CREATE TABLE process_search (
    process_id uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    tags       text[]      NOT NULL,
    words      tsvector    NOT NULL,
    CONSTRAINT process_search_pkey PRIMARY KEY (process_id)
);

CREATE FUNCTION words_of_task(name text, definition_id text, tags text[], notes text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    array_to_tsvector(search_words(
        name || ' ' || definition_id || ' ' || array_to_string(tags, ' ') || ' ' || coalesce(notes, '')));

CREATE FUNCTION words_of_process(name text, definition_id text, tags text[], business_context jsonb) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    array_to_tsvector(search_words(
        name || ' ' || definition_id || ' ' || array_to_string(tags, ' ') || ' '
        || coalesce(left(business_context ->> 'business_key', 501), '')));

-- New rows in one go, deleted ones too; changed ones one by one, for few change what is searched. Words that somebody
-- left behind by deleting rows without triggers stop no command.
CREATE FUNCTION add_task_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO task_search
    SELECT id, created_at, task_definition_id, tags, words_of_task(task_name, task_definition_id, tags, notes)
    FROM new_rows
    ON CONFLICT (task_id) DO UPDATE SET
        created_at = EXCLUDED.created_at, task_definition_id = EXCLUDED.task_definition_id, tags = EXCLUDED.tags,
        words = EXCLUDED.words;
    RETURN NULL;
END $$;

CREATE FUNCTION change_task_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE task_search SET
        created_at = NEW.created_at, task_definition_id = NEW.task_definition_id, tags = NEW.tags,
        words = words_of_task(NEW.task_name, NEW.task_definition_id, NEW.tags, NEW.notes)
    WHERE task_id = NEW.id;
    RETURN NULL;
END $$;

CREATE FUNCTION delete_task_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM task_search WHERE task_id IN (SELECT id FROM old_rows);
    RETURN NULL;
END $$;

CREATE FUNCTION add_process_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO process_search
    SELECT id, created_at, tags, words_of_process(process_name, process_definition_id, tags, business_context)
    FROM new_rows
    ON CONFLICT (process_id) DO UPDATE SET
        created_at = EXCLUDED.created_at, tags = EXCLUDED.tags, words = EXCLUDED.words;
    RETURN NULL;
END $$;

CREATE FUNCTION change_process_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE process_search SET
        created_at = NEW.created_at, tags = NEW.tags,
        words = words_of_process(NEW.process_name, NEW.process_definition_id, NEW.tags, NEW.business_context)
    WHERE process_id = NEW.id;
    RETURN NULL;
END $$;

CREATE FUNCTION delete_process_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM process_search WHERE process_id IN (SELECT id FROM old_rows);
    RETURN NULL;
END $$;

CREATE TRIGGER tasks_search_added AFTER INSERT ON tasks
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION add_task_search();
CREATE TRIGGER tasks_search_changed AFTER UPDATE OF task_name, task_definition_id, tags, notes, created_at ON tasks
    FOR EACH ROW EXECUTE FUNCTION change_task_search();
CREATE TRIGGER tasks_search_deleted AFTER DELETE ON tasks
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION delete_task_search();
CREATE TRIGGER process_instances_search_added AFTER INSERT ON process_instances
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION add_process_search();
CREATE TRIGGER process_instances_search_changed
    AFTER UPDATE OF process_name, process_definition_id, tags, business_context, created_at ON process_instances
    FOR EACH ROW EXECUTE FUNCTION change_process_search();
CREATE TRIGGER process_instances_search_deleted AFTER DELETE ON process_instances
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION delete_process_search();

INSERT INTO task_search
SELECT id, created_at, task_definition_id, tags, words_of_task(task_name, task_definition_id, tags, notes) FROM tasks;
INSERT INTO process_search
SELECT id, created_at, tags, words_of_process(process_name, process_definition_id, tags, business_context)
FROM process_instances;

-- New words wait in a short list until it is full: entering each at once costs a command twice as much, and a long
-- list would be read by each search, and cleared by one command.
CREATE INDEX task_search_words_idx ON task_search USING gin (words) WITH (gin_pending_list_limit = 512);
CREATE INDEX task_search_tags_idx ON task_search USING gin (tags) WITH (gin_pending_list_limit = 512);
CREATE INDEX task_search_definition_idx ON task_search (task_definition_id, task_id);
CREATE INDEX process_search_words_idx ON process_search USING gin (words) WITH (gin_pending_list_limit = 512);
CREATE INDEX process_search_tags_idx ON process_search USING gin (tags) WITH (gin_pending_list_limit = 512);

-- Sorted lists: each status has its rows in the order, so that "open, due soonest first" does not wade through years
-- of what is done; without a filter on the status, the statuses' orders are merged.
CREATE INDEX tasks_due_idx ON tasks (status, coalesce(due_date, 'infinity'), id);
CREATE INDEX tasks_priority_idx ON tasks (status, array_position(ARRAY['low', 'medium', 'high', 'critical'], priority), created_at, id);
CREATE INDEX tasks_name_idx ON tasks (status, task_name, id);
CREATE INDEX process_instances_due_idx ON process_instances (status, coalesce(due_date, 'infinity'), id);
CREATE INDEX process_instances_priority_idx ON process_instances (status, array_position(ARRAY['low', 'medium', 'high', 'critical'], priority), created_at, id);
CREATE INDEX process_instances_name_idx ON process_instances (status, process_name, id);

-- Filters that few rows may fit, however the list is sorted.
CREATE INDEX tasks_team_idx ON tasks (assigned_team, created_at DESC, id DESC) INCLUDE (status)
    WHERE assigned_team IS NOT NULL;
CREATE INDEX tasks_late_idx ON tasks (sla_status, created_at DESC, id DESC)
    WHERE sla_status IN ('at_risk', 'breached');
CREATE INDEX process_instances_team_idx ON process_instances (assigned_team, created_at DESC, id DESC)
    INCLUDE (status) WHERE assigned_team IS NOT NULL;
CREATE INDEX process_instances_definition_idx ON process_instances (process_definition_id, created_at DESC, id DESC);
CREATE INDEX process_instances_late_idx ON process_instances (sla_status, created_at DESC, id DESC)
    WHERE sla_status IN ('at_risk', 'breached');
-- Longer keys are cut, for an index has no room for them; nobody can ask for one.
CREATE INDEX process_instances_business_key_idx ON process_instances (left(business_context ->> 'business_key', 501))
    WHERE left(business_context ->> 'business_key', 501) IS NOT NULL;
