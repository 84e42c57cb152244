-- Personal API tokens, looked up by the id that is a part of them.

-- name: add
-- A new token.
INSERT INTO api_tokens (id, user_id, name, secret_hash, scopes, created_at, created_by, expires_at)
VALUES (:id, :user_id, :name, :secret_hash, :scopes, :now, :created_by, :expires_at)
RETURNING id, user_id, name, scopes, created_at, created_by, expires_at, last_used_at, revoked_at;

-- name: find
-- The hash to hold a token against, and whose it is, while it is good.
SELECT t.secret_hash, t.scopes, t.last_used_at, p.user_id, p.name, p.role, p.team, NULL::integer
FROM api_tokens t JOIN people p USING (user_id)
WHERE t.id = :id AND t.revoked_at IS NULL AND t.expires_at > :now AND p.active;

-- name: note_use
-- A token was used; only one of many requests at once has something to write.
UPDATE api_tokens SET last_used_at = :now
WHERE id = :id AND (last_used_at IS NULL OR last_used_at < :noted_since);

-- name: of_person
-- Every token of somebody, the newest first.
SELECT id, user_id, name, scopes, created_at, created_by, expires_at, last_used_at, revoked_at
FROM api_tokens WHERE user_id = :user_id ORDER BY created_at DESC, id;

-- name: revoke
-- A token is good for nothing any more, from when it was revoked first; of one person, if one is given.
UPDATE api_tokens SET revoked_at = coalesce(revoked_at, :now)
WHERE id = :id AND (:user_id::text IS NULL OR user_id = :user_id)
RETURNING id, user_id, name, scopes, created_at, created_by, expires_at, last_used_at, revoked_at;

-- name: revoke_all
-- Every token of somebody is good for nothing any more.
UPDATE api_tokens SET revoked_at = :now WHERE user_id = :user_id AND revoked_at IS NULL RETURNING id;
