-- Accounts and the one-time links that set their passwords. Locks are taken in this order: account, links, sessions.

-- name: account
-- One account.
SELECT user_id, password_hash IS NOT NULL, password_changed_at, failed_attempts, locked_until, created_at
FROM accounts WHERE user_id = :user_id;

-- name: accounts
-- Every account.
SELECT user_id, password_hash IS NOT NULL, password_changed_at, failed_attempts, locked_until, created_at
FROM accounts ORDER BY user_id;

-- name: person
-- Whether a person is active, and as what.
SELECT active, role FROM people WHERE user_id = :user_id;

-- name: password
-- The hash to hold a password against, without a lock: that takes its time.
SELECT password_hash FROM accounts WHERE user_id = :user_id;

-- name: lock
-- An account with its person; whoever signs in to it, or changes it, is the only one until the end.
SELECT a.password_hash, a.failed_attempts, a.locked_until, p.active, p.user_id, p.name, p.role, p.team,
    a.password_generation
FROM accounts a JOIN people p USING (user_id) WHERE a.user_id = :user_id FOR NO KEY UPDATE OF a;

-- name: record_attempt
-- How an account stands after somebody tried to sign in.
UPDATE accounts SET failed_attempts = :failed_attempts, locked_until = :locked_until WHERE user_id = :user_id;

-- name: commit_without_waiting
-- The commit does not wait for the disk: it would tell by its time that there was something to write.
SELECT set_config('synchronous_commit', 'off', true);

-- name: renew_hash
-- The same password, hashed as new ones are; unless it was changed meanwhile.
UPDATE accounts SET password_hash = :new WHERE user_id = :user_id AND password_hash = :old;

-- name: set_password
-- A new password ends what the old one opened, and what was counted against it.
UPDATE accounts SET
    password_hash = :password_hash, password_changed_at = :now, password_generation = password_generation + 1,
    failed_attempts = 0, locked_until = NULL
WHERE user_id = :user_id
RETURNING password_generation;

-- name: next_generation
-- What the password opened so far is closed; the password stays.
UPDATE accounts SET password_generation = password_generation + 1 WHERE user_id = :user_id RETURNING user_id;

-- name: current
-- Who has an account of this generation, and is active.
SELECT p.user_id, p.name, p.role, p.team, a.password_generation
FROM accounts a JOIN people p USING (user_id)
WHERE a.user_id = :user_id AND a.password_generation = :password_generation AND p.active;

-- name: add
-- A new account, unless the person has one.
INSERT INTO accounts (user_id, created_at) VALUES (:user_id, :now) ON CONFLICT (user_id) DO NOTHING
RETURNING user_id;

-- name: lock_first_start
-- One server at a time finds out whether this is the first start.
SELECT true FROM pg_advisory_xact_lock(hashtextextended('gndp.first_start', 0));

-- name: is_first_start
-- Whether nobody has a password yet, nor a link that is still good for one.
SELECT NOT EXISTS (SELECT FROM accounts WHERE password_hash IS NOT NULL)
   AND NOT EXISTS (SELECT FROM one_time_links WHERE used_at IS NULL AND expires_at > :now);

-- name: first_admin
-- The first of those who are admins already.
SELECT user_id FROM people WHERE role = 'admin' AND active ORDER BY user_id LIMIT 1;

-- name: free_admin_id
-- The first of admin, admin-2, admin-3, … that nobody has.
SELECT id FROM (SELECT 1 AS n, 'admin' AS id UNION ALL SELECT n, 'admin-' || n FROM generate_series(2, 1000) n) ids
WHERE NOT EXISTS (SELECT FROM people WHERE user_id = id) ORDER BY n LIMIT 1;

-- name: add_link
-- A new one-time link.
INSERT INTO one_time_links (token_hash, user_id, purpose, created_at, created_by, expires_at)
VALUES (:token_hash, :user_id, :purpose, :now, :created_by, :expires_at);

-- name: link
-- Whose a link is, while it is good.
SELECT l.user_id FROM one_time_links l JOIN people p USING (user_id)
WHERE l.token_hash = :token_hash AND l.used_at IS NULL AND l.expires_at > :now AND p.active;

-- name: use_link
-- Only the first to use a link finds it good.
UPDATE one_time_links SET used_at = :now
WHERE token_hash = :token_hash AND used_at IS NULL AND expires_at > :now
RETURNING user_id;

-- name: end_links
-- The other links of an account are good for nothing any more.
UPDATE one_time_links SET expires_at = :now
WHERE user_id = :user_id AND used_at IS NULL AND expires_at > :now;
