-- Named working-time calendars.

-- name: save
-- A calendar, in place of the one that had its name.
INSERT INTO calendars (name, document, created_at) VALUES (:name, :document, :now)
ON CONFLICT (name) DO UPDATE SET document = excluded.document
WHERE calendars.document::text <> excluded.document::text;

-- name: lock
-- One calendar, which nobody else saves until the end of the transaction.
SELECT document FROM calendars WHERE name = :name FOR UPDATE;

-- name: get
-- One calendar.
SELECT document FROM calendars WHERE name = :name;

-- name: names
-- The names of all calendars.
SELECT name FROM calendars ORDER BY name;

-- name: policies
-- The policies in force that go by a calendar.
SELECT document FROM (
    SELECT DISTINCT ON (name) document, retired_at FROM sla_policies ORDER BY name, version DESC) newest
WHERE retired_at IS NULL AND document ->> 'calendar' = :name;
