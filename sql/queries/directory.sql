-- People and teams. Commands lock in the order that routing keeps, too: teams by name, then people by id.

-- name: lock_known_teams
-- Teams by name, and the teams that people are in, before our turn is waited for: a unit of work that has routed
-- holds its teams already, and may want its turn after that.
SELECT name FROM teams
WHERE name = ANY(:names::text[])
   OR name IN (SELECT team FROM people WHERE user_id = ANY(:user_ids::text[]) AND team IS NOT NULL)
ORDER BY name FOR NO KEY UPDATE;

-- name: lock_people_in_no_team
-- The same of people in no team, whom routing locks themselves.
SELECT user_id FROM people
WHERE user_id = ANY(:user_ids::text[]) AND team IS NULL ORDER BY user_id FOR NO KEY UPDATE;

-- name: lock
-- One command on the directory at a time: what a decision was made on stays so until it is written.
SELECT true FROM pg_advisory_xact_lock(hashtextextended('gndp.directory', 0));

-- name: people
-- Everybody, or those who are active, or those who are not.
SELECT * FROM people WHERE :active::boolean IS NULL OR active = :active ORDER BY user_id;

-- name: people_of_team
-- The same of one team.
SELECT * FROM people WHERE team = :team AND (:active::boolean IS NULL OR active = :active) ORDER BY user_id;

-- name: people_by_id
-- The people with these ids.
SELECT * FROM people WHERE user_id = ANY(:user_ids);

-- name: absent
-- Who is or will be away with a substitute.
SELECT * FROM people WHERE substitute IS NOT NULL AND out_of_office_until > :now;

-- name: teams
-- Every team.
SELECT * FROM teams ORDER BY name;

-- name: teams_by_name
-- The teams with these names.
SELECT * FROM teams WHERE name = ANY(:names);

-- name: calendars_by_name
-- Which of these calendars there are.
SELECT name FROM calendars WHERE name = ANY(:names);

-- name: lock_teams
-- Routing to these teams waits for us, and we for it.
SELECT name FROM teams WHERE name = ANY(:names) ORDER BY name FOR NO KEY UPDATE;

-- name: lock_people
-- Nobody else changes these people.
SELECT user_id FROM people WHERE user_id = ANY(:user_ids) ORDER BY user_id FOR NO KEY UPDATE;

-- name: add_teams
-- New teams.
INSERT INTO teams (name, calendar, lead, manager, load_measure, imbalance_limit, created_at)
SELECT name, calendar, lead, manager, load_measure, imbalance_limit, created_at
FROM jsonb_to_recordset(:rows) AS r (
    name text, calendar text, lead text, manager text, load_measure text, imbalance_limit integer,
    created_at timestamptz)
RETURNING *;

-- name: change_team
-- What people say about a team; whose turn it was last is routing's.
UPDATE teams SET
    calendar = :calendar, lead = :lead, manager = :manager, load_measure = :load_measure,
    imbalance_limit = :imbalance_limit
WHERE name = :name
RETURNING *;

-- name: add_people
-- New people.
INSERT INTO people (user_id, name, email, team, role, skills, capacity, calendar, active, created_at)
SELECT user_id, name, email, team, role, skills, capacity, calendar, active, created_at
FROM jsonb_to_recordset(:rows) AS r (
    user_id text, name text, email text, team text, role text, skills jsonb, capacity integer,
    calendar text, active boolean, created_at timestamptz)
RETURNING *;

-- name: change_people
-- People as they are from now on.
UPDATE people AS p SET
    name = r.name, email = r.email, team = r.team, role = r.role, skills = r.skills, capacity = r.capacity,
    calendar = r.calendar, out_of_office_from = r.out_of_office_from,
    out_of_office_until = r.out_of_office_until, substitute = r.substitute, active = r.active
FROM jsonb_to_recordset(:rows) AS r (
    user_id text, name text, email text, team text, role text, skills jsonb, capacity integer,
    calendar text, out_of_office_from timestamptz, out_of_office_until timestamptz, substitute text,
    active boolean)
WHERE p.user_id = r.user_id
RETURNING p.*;
