-- Who somebody is. Of every secret that was handed out only a hash is kept. Names of constraints and indexes are
-- those of gndp/store/models/access.py.

-- People who can sign in, or will when they have set a password. Each new password, and signing out everywhere,
-- makes a new generation: sessions and bearer tokens are good in theirs only. Whoever is not active has no access.
CREATE TABLE accounts (
    user_id             text        NOT NULL,
    password_hash       text,
    password_changed_at timestamptz,
    password_generation integer     NOT NULL DEFAULT 0,
    failed_attempts     integer     NOT NULL DEFAULT 0,
    locked_until        timestamptz,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL DEFAULT now(),
    version             integer     NOT NULL DEFAULT 1,
    CONSTRAINT accounts_pkey PRIMARY KEY (user_id),
    CONSTRAINT accounts_person_fkey FOREIGN KEY (user_id) REFERENCES people (user_id),
    CONSTRAINT accounts_password_check CHECK ((password_hash IS NULL) = (password_changed_at IS NULL)),
    CONSTRAINT accounts_failed_attempts_check CHECK (failed_attempts >= 0)
);

CREATE TRIGGER accounts_version BEFORE UPDATE ON accounts
    FOR EACH ROW EXECUTE FUNCTION advance_version();

-- Links with which somebody sets a password, once. Nobody made the first start's, or one from the command line.
CREATE TABLE one_time_links (
    token_hash bytea       NOT NULL,
    user_id    text        NOT NULL,
    purpose    text        NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    CONSTRAINT one_time_links_pkey PRIMARY KEY (token_hash),
    CONSTRAINT one_time_links_account_fkey FOREIGN KEY (user_id) REFERENCES accounts (user_id),
    CONSTRAINT one_time_links_created_by_fkey FOREIGN KEY (created_by) REFERENCES people (user_id),
    CONSTRAINT one_time_links_purpose_check CHECK (purpose IN ('first_start', 'invitation', 'reset')),
    CONSTRAINT one_time_links_token_check CHECK (octet_length(token_hash) = 32)
);

CREATE INDEX one_time_links_account_idx ON one_time_links (user_id);

-- Signed-in browsers. expires_at is the end whatever happens; a session that is not used ends before. One that
-- was replaced by another is good for a moment more, for what is under way.
CREATE TABLE browser_sessions (
    secret_hash         bytea       NOT NULL,
    user_id             text        NOT NULL,
    password_generation integer     NOT NULL,
    created_at          timestamptz NOT NULL,
    last_seen_at        timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL,
    replaced_at         timestamptz,
    CONSTRAINT browser_sessions_pkey PRIMARY KEY (secret_hash),
    CONSTRAINT browser_sessions_account_fkey FOREIGN KEY (user_id) REFERENCES accounts (user_id),
    CONSTRAINT browser_sessions_secret_check CHECK (octet_length(secret_hash) = 32)
);

CREATE INDEX browser_sessions_account_idx ON browser_sessions (user_id);

-- What programs come with in a person's name, or in their own. The id is part of the token and no secret.
CREATE TABLE api_tokens (
    id           text        NOT NULL,
    user_id      text        NOT NULL,
    name         text        NOT NULL,
    secret_hash  bytea       NOT NULL,
    scopes       text[]      NOT NULL,
    created_at   timestamptz NOT NULL,
    created_by   text,
    expires_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    CONSTRAINT api_tokens_pkey PRIMARY KEY (id),
    CONSTRAINT api_tokens_person_fkey FOREIGN KEY (user_id) REFERENCES people (user_id),
    CONSTRAINT api_tokens_created_by_fkey FOREIGN KEY (created_by) REFERENCES people (user_id),
    CONSTRAINT api_tokens_scopes_check CHECK
        (cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'write', 'admin']),
    CONSTRAINT api_tokens_expiry_check CHECK (expires_at > created_at),
    CONSTRAINT api_tokens_secret_check CHECK (octet_length(secret_hash) = 32)
);

CREATE INDEX api_tokens_person_idx ON api_tokens (user_id);

-- What the servers of this database sign with where GNDP_SECRET_KEY is not given: made once, for all of them.
CREATE TABLE signing_keys (
    name       text        NOT NULL,
    secret     bytea       NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT signing_keys_pkey PRIMARY KEY (name),
    CONSTRAINT signing_keys_secret_check CHECK (octet_length(secret) >= 32)
);
