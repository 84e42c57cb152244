-- Who could take a team's work is said once; and what routing remembers of a team.

-- Whether it was told that the team's work is uneven; it is told again only after it has been even.
ALTER TABLE teams ADD COLUMN imbalance_told boolean NOT NULL DEFAULT false;

-- Who is away with whom as a substitute: asked for whoever has room again.
CREATE INDEX people_substitute_idx ON people (substitute) WHERE substitute IS NOT NULL;

-- The people of some teams, some people besides, whoever stands in for those of them who are away at an instant,
-- for those in turn, and so on.
CREATE FUNCTION people_within_reach(teams text[], people text[], at timestamptz) RETURNS TABLE (user_id text)
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH RECURSIVE reached AS (
        SELECT p.user_id, p.substitute, p.out_of_office_from <= at AND p.out_of_office_until > at AS is_away
        FROM people p WHERE p.team = ANY (teams) OR p.user_id = ANY (people)
        UNION
        SELECT p.user_id, p.substitute, p.out_of_office_from <= at AND p.out_of_office_until > at
        FROM people p JOIN reached r ON p.user_id = r.substitute AND r.is_away)
    SELECT user_id FROM reached
$$;

-- Whether it was said that a task needs somebody, since it came into its queue.
CREATE FUNCTION was_told(task uuid) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(max(seq) FILTER (WHERE event_type = 'assignment.needed') > max(seq) FILTER (
        WHERE event_type IN ('task.created', 'task.ready', 'task.released', 'task.retried', 'task.queued')), false)
    FROM process_events WHERE task_id = task
$$;
