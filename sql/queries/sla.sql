-- SLA clocks, their policies and terms.

-- name: of_task
-- The revision of the policies, then the clocks of a task and of its process, each with its task's name.
SELECT r.revision, c.*, t.task_name
FROM sla_revision r
LEFT JOIN LATERAL (
    SELECT * FROM sla_metrics
    WHERE process_instance_id = (SELECT process_instance_id FROM tasks WHERE id = :task_id) AND task_id IS NULL
    UNION ALL
    SELECT * FROM sla_metrics WHERE task_id = :task_id) c ON true
LEFT JOIN tasks t ON t.id = c.task_id;

-- name: of_task_and_dependants
-- The same, with the clocks of the tasks that wait for it.
SELECT r.revision, c.*, t.task_name
FROM sla_revision r
LEFT JOIN LATERAL (
    SELECT * FROM sla_metrics
    WHERE process_instance_id = (SELECT process_instance_id FROM tasks WHERE id = :task_id) AND task_id IS NULL
    UNION ALL
    SELECT * FROM sla_metrics
    WHERE task_id = ANY ((SELECT array_append(blocking, id) FROM tasks WHERE id = :task_id)::uuid[])) c ON true
LEFT JOIN tasks t ON t.id = c.task_id;

-- name: of_process
-- The revision of the policies, then the clocks of a process itself.
SELECT r.revision, c.*, NULL::text
FROM sla_revision r
LEFT JOIN sla_metrics c ON c.process_instance_id = :process_id AND c.task_id IS NULL;

-- name: open_of_process
-- The revision of the policies, then the clocks of a process, those of its tasks that have not ended, and those of
-- failed tasks that have: they may be tried again.
SELECT r.revision, c.*, t.task_name
FROM sla_revision r
LEFT JOIN LATERAL (
    SELECT * FROM sla_metrics WHERE process_instance_id = :process_id AND task_id IS NULL
    UNION ALL
    SELECT * FROM sla_metrics
    WHERE process_instance_id = :process_id AND task_id IS NOT NULL AND end_time IS NULL
    UNION ALL
    SELECT m.* FROM tasks f JOIN sla_metrics m ON m.task_id = f.id
    WHERE f.process_instance_id = :process_id AND f.status = 'failed' AND m.end_time IS NOT NULL) c ON true
LEFT JOIN tasks t ON t.id = c.task_id;

-- name: of_tasks_and_open
-- The same, with all clocks of some tasks instead of the failed ones.
SELECT r.revision, c.*, t.task_name
FROM sla_revision r
LEFT JOIN LATERAL (
    SELECT * FROM sla_metrics WHERE process_instance_id = :process_id AND task_id IS NULL
    UNION ALL
    SELECT * FROM sla_metrics
    WHERE process_instance_id = :process_id AND task_id IS NOT NULL AND end_time IS NULL
    UNION ALL
    SELECT * FROM sla_metrics
    WHERE task_id = ANY (:task_ids::uuid[]) AND end_time IS NOT NULL) c ON true
LEFT JOIN tasks t ON t.id = c.task_id;

-- name: policies
-- The newest version of every policy that was not retired.
SELECT name, document FROM (
    SELECT DISTINCT ON (name) name, document, retired_at FROM sla_policies ORDER BY name, version DESC) newest
WHERE retired_at IS NULL;

-- name: calendars
-- Every calendar.
SELECT name, document FROM calendars;

-- name: terms
-- What clocks run by.
SELECT fingerprint, document FROM sla_terms WHERE fingerprint = ANY (:fingerprints::text[]);

-- name: store_terms
-- Terms that are new, as a JSON array.
INSERT INTO sla_terms (fingerprint, document)
SELECT fingerprint, document FROM jsonb_to_recordset(:rows) AS r (fingerprint text, document jsonb)
ON CONFLICT DO NOTHING;

-- name: start
-- Clocks that start, as a JSON array of rows.
INSERT INTO sla_metrics (
    id, process_instance_id, task_id, metric_type, target_duration_mins, warning_threshold_mins,
    actual_duration_mins, start_time, end_time, status, breach_amount_mins, business_impact,
    escalation_required, created_at, policy_name, objective, terms, due_at, original_due_at,
    elapsed_microseconds, running_since, paused_at, paused_by, ended, warnings_told, escalations_told, next_at,
    at_risk_at)
SELECT
    id, process_instance_id, task_id, metric_type, target_duration_mins, warning_threshold_mins,
    actual_duration_mins, start_time, end_time, status, breach_amount_mins, business_impact,
    escalation_required, created_at, policy_name, objective, terms, due_at, original_due_at,
    elapsed_microseconds, running_since, paused_at, paused_by, ended, warnings_told, escalations_told, next_at,
    at_risk_at
FROM jsonb_populate_recordset(NULL::sla_metrics, :rows);

-- name: change
-- Clocks that moved, as a JSON array of rows, each guarded by the version that the decision was made on. The ids are
-- asked for once more because a plan made while the table is small would otherwise read all of it, also later.
WITH moved AS (
    UPDATE sla_metrics c SET
        target_duration_mins = r.target_duration_mins, warning_threshold_mins = r.warning_threshold_mins,
        actual_duration_mins = r.actual_duration_mins, start_time = r.start_time, end_time = r.end_time,
        status = r.status, breach_amount_mins = r.breach_amount_mins, business_impact = r.business_impact,
        escalation_required = r.escalation_required, escalated_to = r.escalated_to,
        escalated_at = r.escalated_at, policy_name = r.policy_name, terms = r.terms, due_at = r.due_at,
        original_due_at = r.original_due_at, elapsed_microseconds = r.elapsed_microseconds,
        running_since = r.running_since, paused_at = r.paused_at, paused_by = r.paused_by, ended = r.ended,
        warnings_told = r.warnings_told, escalations_told = r.escalations_told, next_at = r.next_at,
        at_risk_at = r.at_risk_at
    FROM jsonb_populate_recordset(NULL::sla_metrics, :rows) r
    WHERE c.id = r.id AND c.version = r.version
      AND c.id = ANY (ARRAY (SELECT (row ->> 'id')::uuid FROM jsonb_array_elements(:rows) AS row))
    RETURNING 1)
SELECT require_rows(count(*), jsonb_array_length(:rows)) FROM moved;

-- name: due
-- Clocks for which something happens by an instant, the next hundred after a place in their order, and whether
-- their policies escalate.
SELECT c.next_at, c.id, c.process_instance_id, x.document #> '{policy,escalations}' IS NOT NULL
FROM sla_metrics c JOIN sla_terms x ON x.fingerprint = c.terms
WHERE c.next_at <= :now AND (c.next_at, c.id) > (:after_at, :after_id::uuid)
ORDER BY c.next_at, c.id LIMIT 100;

-- name: lock_processes
-- Processes, locked in the order of their ids, each with the transaction's own time. One that a command holds
-- at this moment is left out.
SELECT now(), p.* FROM process_instances p
WHERE p.id = ANY (:process_ids::uuid[])
ORDER BY p.id FOR NO KEY UPDATE SKIP LOCKED;

-- name: last_events
-- The instants of the newest events of processes. A statement of its own, after the lock: within the locking one
-- it would be read as of before the lock was had.
SELECT p.id, (SELECT timestamp FROM process_events e WHERE e.process_instance_id = p.id
              ORDER BY seq DESC LIMIT 1)
FROM process_instances p
WHERE p.id = ANY (:process_ids::uuid[]);

-- name: of_items
-- All clocks of the items that some clocks belong to, and of their processes, which hear what happens to a task; each
-- with the item's name and the policies' revision. In the order in which something comes, which is told in it.
WITH due AS (
    SELECT process_instance_id, task_id FROM sla_metrics WHERE id = ANY (:clock_ids::uuid[]))
SELECT r.revision, c.*, t.task_name
FROM sla_revision r, (
    SELECT * FROM sla_metrics WHERE task_id = ANY (ARRAY (SELECT task_id FROM due))
    UNION ALL
    SELECT * FROM sla_metrics
    WHERE process_instance_id = ANY (ARRAY (SELECT process_instance_id FROM due)) AND task_id IS NULL) c
LEFT JOIN tasks t ON t.id = c.task_id
ORDER BY c.next_at, c.id;

-- name: escalated_tasks
-- Tasks, each with its active assignment.
SELECT t.*, a.* FROM tasks t
LEFT JOIN task_assignments a ON a.task_id = t.id AND a.status = 'active'
WHERE t.id = ANY (:task_ids::uuid[]);

-- name: performers
-- Who has, or had at the end, the tasks made from certain steps of processes.
SELECT DISTINCT process_instance_id, task_definition_id, assigned_to FROM tasks
WHERE process_instance_id = ANY (:process_ids::uuid[]) AND task_definition_id = ANY (:steps::text[])
  AND assigned_to IS NOT NULL AND status IN ('assigned', 'in_progress', 'completed');

-- name: swept
-- A sweep has told everything up to an instant, of all that its snapshot could see.
UPDATE sla_sweeps SET swept_at = :now, snapshot = :snapshot::pg_snapshot;

-- name: snapshot
-- What is committed at this moment.
SELECT pg_current_snapshot()::text;

-- name: next_due
-- Of the instants at which something happens to a clock by itself, and of which the last sweep has not told: the newest
-- that has come by now (a sweep then tells of those before it, too), else the next one.
SELECT coalesce(
    (SELECT max(next_at) FROM sla_metrics WHERE next_at <= :now AND next_at > s.swept_at),
    (SELECT min(next_at) FROM sla_metrics WHERE next_at > greatest(s.swept_at, :now)))
FROM (SELECT coalesce((SELECT swept_at FROM sla_sweeps), '-infinity') AS swept_at) s;

-- name: clocks
-- The clocks of one item, in the order in which they are due, with the item's name.
SELECT c.*, coalesce(t.task_name, p.process_name), x.document
FROM sla_metrics c
JOIN process_instances p ON p.id = c.process_instance_id
JOIN sla_terms x ON x.fingerprint = c.terms
LEFT JOIN tasks t ON t.id = c.task_id
WHERE c.process_instance_id = :process_id AND c.task_id IS NOT DISTINCT FROM :task_id::uuid
ORDER BY c.due_at, c.objective;

-- name: history
-- The events of a process as clocks hear them.
SELECT event_type, task_id, timestamp, details FROM process_events
WHERE process_instance_id = :process_id ORDER BY seq;

-- name: policy
-- The newest version of a policy.
SELECT * FROM sla_policies WHERE name = :name ORDER BY version DESC LIMIT 1;

-- name: policy_versions
-- Every version of a policy, the newest first.
SELECT * FROM sla_policies WHERE name = :name ORDER BY version DESC;

-- name: newest_policies
-- The newest version of every policy, by name.
SELECT DISTINCT ON (name) * FROM sla_policies ORDER BY name, version DESC;

-- name: publish_policy
-- The next version; a concurrent publisher of the same number loses to the primary key.
INSERT INTO sla_policies (name, version, document, fingerprint, published_at, published_by)
VALUES (:name, :version, :document, :fingerprint, :published_at, :published_by);

-- name: retire_policy
-- A policy starts no more clocks.
UPDATE sla_policies SET retired_at = :now WHERE name = :name AND retired_at IS NULL;

-- name: remove
-- Clocks that, under the policies as they are now, would not have started.
DELETE FROM sla_metrics WHERE id = ANY (:ids::uuid[]);
