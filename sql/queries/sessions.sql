-- Browser sessions, looked up by the hash of their secret. Those of an earlier password are good for nothing.

-- name: open
-- A session for somebody who is active, and whose password is still the one that was proved.
INSERT INTO browser_sessions
    (secret_hash, user_id, password_generation, created_at, last_seen_at, expires_at)
SELECT :secret_hash::bytea, a.user_id, a.password_generation, :now::timestamptz, :now, :expires_at::timestamptz
FROM accounts a JOIN people p USING (user_id)
WHERE a.user_id = :user_id AND a.password_generation = :password_generation AND p.active
RETURNING user_id;

-- name: find
-- Whose a session is, while it is good; that it is used is noted once a minute, on the way.
WITH found AS (
    SELECT s.secret_hash, s.last_seen_at, s.expires_at, p.user_id, p.name, p.role, p.team, a.password_generation
    FROM browser_sessions s JOIN accounts a USING (user_id) JOIN people p USING (user_id)
    WHERE s.secret_hash = :secret_hash AND s.expires_at > :now AND s.last_seen_at > :idle_since
      AND (s.replaced_at IS NULL OR s.replaced_at > :replaced_since)
      AND s.password_generation = a.password_generation AND p.active),
seen AS (
    UPDATE browser_sessions s SET last_seen_at = :now FROM found f
    WHERE s.secret_hash = f.secret_hash AND f.last_seen_at < :noted_since)
SELECT expires_at, user_id, name, role, team, password_generation FROM found;

-- name: replace
-- A session gives way to another, once.
UPDATE browser_sessions s SET replaced_at = :now
FROM accounts a JOIN people p USING (user_id)
WHERE s.secret_hash = :secret_hash AND s.replaced_at IS NULL AND s.expires_at > :now
  AND s.last_seen_at > :idle_since AND a.user_id = s.user_id AND s.password_generation = a.password_generation
  AND p.active
RETURNING s.expires_at, p.user_id, p.name, p.role, p.team, a.password_generation;

-- name: replace_own
-- Whoever signs in again leaves the earlier session of the same browser behind.
UPDATE browser_sessions SET replaced_at = :now
WHERE secret_hash = :secret_hash AND user_id = :user_id AND replaced_at IS NULL;

-- name: close_foreign
-- Whoever signs in as somebody else ends the earlier session of the same browser.
DELETE FROM browser_sessions WHERE secret_hash = :secret_hash AND user_id <> :user_id;

-- name: close
-- A session ends, and with it whatever of the same person gave way to another and is good for a moment more.
DELETE FROM browser_sessions s USING browser_sessions closed
WHERE closed.secret_hash = :secret_hash AND s.user_id = closed.user_id
  AND (s.secret_hash = closed.secret_hash OR s.replaced_at IS NOT NULL);

-- name: close_all
-- All sessions of somebody end.
DELETE FROM browser_sessions WHERE user_id = :user_id;

-- name: delete_dead
-- What is good for nothing any more makes room.
DELETE FROM browser_sessions
WHERE user_id = :user_id
  AND (expires_at <= :now OR last_seen_at <= :idle_since OR replaced_at <= :replaced_since);
