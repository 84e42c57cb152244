-- Who does the work: working-time calendars, teams, and the people in them. Names of constraints and
-- indexes are those of gndp/store/models/people.py.

-- When work is done; the document is kept as it was written.
CREATE TABLE calendars (
    name       text        NOT NULL,
    document   json        NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    version    integer     NOT NULL DEFAULT 1,
    CONSTRAINT calendars_pkey PRIMARY KEY (name)
);

-- Groups of people that work is routed to. round_robin_position is the person that the rotation gave a
-- task last: it belongs to routing, which locks the team's row first and then people by id.
CREATE TABLE teams (
    name                 text        NOT NULL,
    calendar             text,
    lead                 text,
    manager              text,
    load_measure         text        NOT NULL DEFAULT 'tasks',
    imbalance_limit      integer,
    round_robin_position text,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL DEFAULT now(),
    version              integer     NOT NULL DEFAULT 1,
    CONSTRAINT teams_pkey PRIMARY KEY (name),
    CONSTRAINT teams_calendar_fkey FOREIGN KEY (calendar) REFERENCES calendars (name),
    CONSTRAINT teams_load_measure_check CHECK (load_measure IN ('tasks', 'priority', 'estimated_minutes')),
    CONSTRAINT teams_imbalance_limit_check CHECK (imbalance_limit > 0)
);

-- People and service accounts. Nobody is deleted, for the log names them: who has left is not active.
CREATE TABLE people (
    user_id             text        NOT NULL,
    name                text        NOT NULL,
    email               text,
    team                text,
    role                text        NOT NULL DEFAULT 'worker',
    skills              jsonb       NOT NULL DEFAULT '{}',
    capacity            integer,
    calendar            text,
    out_of_office_from  timestamptz,
    out_of_office_until timestamptz,
    substitute          text,
    active              boolean     NOT NULL DEFAULT true,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL DEFAULT now(),
    version             integer     NOT NULL DEFAULT 1,
    CONSTRAINT people_pkey PRIMARY KEY (user_id),
    CONSTRAINT people_team_fkey FOREIGN KEY (team) REFERENCES teams (name),
    CONSTRAINT people_calendar_fkey FOREIGN KEY (calendar) REFERENCES calendars (name),
    CONSTRAINT people_substitute_fkey FOREIGN KEY (substitute) REFERENCES people (user_id),
    CONSTRAINT people_role_check CHECK (role IN ('viewer', 'worker', 'lead', 'manager', 'admin', 'service')),
    CONSTRAINT people_capacity_check CHECK (capacity >= 1),
    CONSTRAINT people_absence_check CHECK
        ((out_of_office_from IS NULL) = (out_of_office_until IS NULL)
         AND out_of_office_until > out_of_office_from),
    CONSTRAINT people_substitute_check CHECK (substitute <> user_id)
);

-- A team is led by people, who are in teams: so these two come last.
ALTER TABLE teams ADD CONSTRAINT teams_lead_fkey FOREIGN KEY (lead) REFERENCES people (user_id);
ALTER TABLE teams ADD CONSTRAINT teams_manager_fkey FOREIGN KEY (manager) REFERENCES people (user_id);

CREATE INDEX people_team_idx ON people (team);

CREATE TRIGGER calendars_version BEFORE UPDATE ON calendars
    FOR EACH ROW EXECUTE FUNCTION advance_version();
CREATE TRIGGER teams_version BEFORE UPDATE ON teams
    FOR EACH ROW EXECUTE FUNCTION advance_version();
CREATE TRIGGER people_version BEFORE UPDATE ON people
    FOR EACH ROW EXECUTE FUNCTION advance_version();

-- jsonb sorts keys, and the order of a form's fields is the order in which people fill them in.
ALTER TABLE process_definitions ALTER COLUMN document TYPE json;
