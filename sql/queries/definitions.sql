-- Published versions of process definitions.

-- name: latest
-- The newest version of a definition.
SELECT * FROM process_definitions WHERE id = :definition_id ORDER BY version DESC LIMIT 1;

-- name: latest_version
-- The number of the newest version of a definition.
SELECT max(version) FROM process_definitions WHERE id = :definition_id;

-- name: get
-- One version of a definition.
SELECT * FROM process_definitions WHERE id = :definition_id AND version = :version;

-- name: versions
-- Every version of a definition, the newest first.
SELECT * FROM process_definitions WHERE id = :definition_id ORDER BY version DESC;

-- name: list
-- The newest version of every definition.
SELECT DISTINCT ON (id) * FROM process_definitions ORDER BY id, version DESC;

-- name: publish
-- The next version; a concurrent publisher of the same number loses to the primary key.
INSERT INTO process_definitions (id, version, name, document, fingerprint, published_at, published_by)
VALUES (:id, :version, :name, :document, :fingerprint, :published_at, :published_by);
