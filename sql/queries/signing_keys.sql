-- What servers sign with that were given no key.

-- name: get
-- The key of this name.
SELECT secret FROM signing_keys WHERE name = :name;

-- name: add
-- A key, unless another server was quicker.
INSERT INTO signing_keys (name, secret, created_at) VALUES (:name, :secret, :now) ON CONFLICT (name) DO NOTHING;
