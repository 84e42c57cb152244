-- Idempotency keys, scoped to whoever gives the command, and to the command.

-- name: reserve
-- Whether nobody else is working under this key; holds it until the end of the transaction.
SELECT pg_try_advisory_xact_lock(hashtextextended(:scope, 0));

-- name: recall
-- The first answer, while it has not expired.
SELECT arguments, answer FROM idempotency_keys
WHERE user_id = :user_id AND command = :command AND key = :key AND expires_at > now();

-- name: remember
-- Keep the first answer for 24 hours; an expired one makes room.
INSERT INTO idempotency_keys (user_id, command, key, arguments, answer, expires_at)
VALUES (:user_id, :command, :key, :arguments, :answer, now() + interval '24 hours')
ON CONFLICT (user_id, command, key) DO UPDATE SET
    arguments = excluded.arguments, answer = excluded.answer, expires_at = excluded.expires_at;

-- name: delete_expired
-- Keys that have expired make room, the oldest first; one that somebody is renewing is left to him.
WITH expired AS (
    SELECT user_id, command, key FROM idempotency_keys
    WHERE expires_at <= now() ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED),
gone AS (
    DELETE FROM idempotency_keys k USING expired e
    WHERE k.user_id = e.user_id AND k.command = e.command AND k.key = e.key RETURNING 1)
SELECT count(*) FROM gone;
