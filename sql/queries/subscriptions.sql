-- Durable subscriptions: positions in the event log, and the deliveries that are parked.

-- name: create
-- A subscription, from this moment or from the first event on; nothing when the name is taken.
INSERT INTO event_subscriptions (name, pattern, starts_at, started_from, read_from, read_to)
SELECT :name, :pattern, :starts_at, s, s, s
FROM (SELECT CASE WHEN :is_from_now THEN pg_current_snapshot() ELSE '1:1:'::pg_snapshot END) AS start (s)
ON CONFLICT (name) DO NOTHING;

-- name: get
-- Where a subscription stands, unless it is another one of that name.
SELECT pattern, starts_at, read_from::text, read_to::text, last_seq FROM event_subscriptions
WHERE name = :name AND created_at = :created_at;

-- name: move
-- A subscription has passed some events more. A crash may undo this, and they are then given again.
WITH moved AS (
    UPDATE event_subscriptions SET
        read_from = :read_from, read_to = :read_to, last_seq = :last_seq, passed = passed + :passed,
        passed_seqs = passed_seqs + :passed_seqs, moved_at = clock_timestamp()
    WHERE name = :name AND created_at = :created_at
    RETURNING 1)
SELECT require_rows(count(*), 1), set_config('synchronous_commit', 'off', true) FROM moved;

-- name: park
-- Deliveries to be made later, as a JSON array; after so many seconds where they failed.
INSERT INTO event_deliveries (subscription, seq, process_instance_id, status, attempts, due_at, error)
SELECT :name, seq, process_instance_id, status, attempts, clock_timestamp() + make_interval(secs => delay), error
FROM jsonb_to_recordset(:rows) AS r (
    seq bigint, process_instance_id uuid, status text, attempts integer, delay double precision, error text)
ON CONFLICT (subscription, seq) DO UPDATE SET
    status = excluded.status, attempts = excluded.attempts, due_at = excluded.due_at, error = excluded.error;

-- name: held_processes
-- The processes whose events wait, because an earlier one is tried again.
SELECT DISTINCT process_instance_id FROM event_deliveries WHERE subscription = :name AND status <> 'dead';

-- name: due
-- The failed deliveries whose time has come, each with its attempts and its event: of each process the earliest,
-- which the others wait for.
SELECT d.attempts, e.xid::text::bigint, e.id, e.seq, e.process_instance_id, e.task_id, e.event_type,
       e.event_category, e.severity, e.user_id, e.user_name, e.automated, e.message, e.details, e.old_status,
       e.new_status, e.old_data, e.new_data, e.timestamp, e.correlation_id, e.tags, e.causation_id,
       encode(e.hash, 'hex')
FROM event_deliveries d JOIN process_events e ON e.seq = d.seq
WHERE d.subscription = :name AND d.status = 'retrying' AND d.due_at <= clock_timestamp()
  AND NOT EXISTS (
    SELECT FROM event_deliveries earlier
    WHERE earlier.process_instance_id = d.process_instance_id AND earlier.subscription = d.subscription
      AND earlier.status <> 'dead' AND earlier.seq < d.seq)
ORDER BY d.due_at, d.seq LIMIT :most;

-- name: behind
-- What waits behind a failed event of a process that is out of the way, in order, up to the next that is tried
-- again.
SELECT d.attempts, e.xid::text::bigint, e.id, e.seq, e.process_instance_id, e.task_id, e.event_type,
       e.event_category, e.severity, e.user_id, e.user_name, e.automated, e.message, e.details, e.old_status,
       e.new_status, e.old_data, e.new_data, e.timestamp, e.correlation_id, e.tags, e.causation_id,
       encode(e.hash, 'hex')
FROM event_deliveries d JOIN process_events e ON e.seq = d.seq
WHERE d.process_instance_id = :process_id AND d.subscription = :name AND d.status = 'behind'
  AND d.seq < coalesce((
    SELECT min(seq) FROM event_deliveries r
    WHERE r.process_instance_id = d.process_instance_id AND r.subscription = d.subscription
      AND r.status = 'retrying'), 9223372036854775807)
ORDER BY d.seq LIMIT :most;

-- name: stranded
-- The processes whose events wait behind one that is out of the way: it died, or its reader did.
SELECT DISTINCT process_instance_id FROM event_deliveries b
WHERE subscription = :name AND status = 'behind' AND NOT EXISTS (
    SELECT FROM event_deliveries r
    WHERE r.process_instance_id = b.process_instance_id AND r.subscription = b.subscription
      AND r.status = 'retrying' AND r.seq < b.seq);

-- name: delivered
-- Parked deliveries that have been made.
DELETE FROM event_deliveries WHERE subscription = :name AND seq = ANY (:seqs::bigint[]);

-- name: next_due
-- How many seconds until a failed delivery is due that waits for no other.
SELECT extract(epoch FROM min(due_at) - clock_timestamp())::float8 FROM event_deliveries d
WHERE subscription = :name AND status = 'retrying' AND NOT EXISTS (
    SELECT FROM event_deliveries earlier
    WHERE earlier.process_instance_id = d.process_instance_id AND earlier.subscription = d.subscription
      AND earlier.status <> 'dead' AND earlier.seq < d.seq);

-- name: is_held
-- Whether an event of a process is to be given again, or waits for such a one.
SELECT EXISTS (
    SELECT FROM event_deliveries
    WHERE process_instance_id = :process_id AND subscription = :name AND status <> 'dead');

-- name: list
-- Every subscription, with who reads it, how many events it has not passed (counted up to a limit), the oldest of
-- them, and what is parked.
SELECT s.name, s.pattern, s.starts_at, s.created_at, s.moved_at, s.passed,
       (SELECT holder FROM job_lease l
        WHERE l.name = 'subscription: ' || s.name AND l.expires_at > clock_timestamp()),
       w.waiting, w.oldest,
       (SELECT count(*) FROM event_deliveries d WHERE d.subscription = s.name AND d.status = 'retrying'),
       (SELECT count(*) FROM event_deliveries d WHERE d.subscription = s.name AND d.status = 'behind'),
       (SELECT count(*) FROM event_deliveries d WHERE d.subscription = s.name AND d.status = 'dead')
FROM event_subscriptions s
CROSS JOIN LATERAL (
    SELECT count(*) AS waiting, min(timestamp) AS oldest FROM (
        SELECT timestamp FROM process_events e
        WHERE (e.xid >= pg_snapshot_xmax(s.read_from)
               OR e.xid = ANY (ARRAY(SELECT pg_snapshot_xip(s.read_from))))
          AND NOT (pg_visible_in_snapshot(e.xid, s.read_to) AND e.seq <= s.last_seq)
          AND e.event_type LIKE event_types(s.pattern)
          AND (s.starts_at IS NULL OR e.timestamp >= s.starts_at)
        LIMIT :most) unread) w
ORDER BY s.name;

-- name: parked
-- The parked deliveries of a subscription, or of all: each with its event.
SELECT d.subscription, d.status, d.attempts, d.due_at, d.error, d.parked_at, e.xid::text::bigint, e.id, e.seq,
       e.process_instance_id, e.task_id, e.event_type, e.event_category, e.severity, e.user_id, e.user_name,
       e.automated, e.message, e.details, e.old_status, e.new_status, e.old_data, e.new_data, e.timestamp,
       e.correlation_id, e.tags, e.causation_id, encode(e.hash, 'hex')
FROM event_deliveries d JOIN process_events e ON e.seq = d.seq
WHERE (:name::text IS NULL OR d.subscription = :name) AND (:status::text IS NULL OR d.status = :status)
ORDER BY d.subscription, d.seq LIMIT :most;

-- name: replay
-- Dead deliveries of a subscription, or those of some events, are due again.
WITH replayed AS (
    UPDATE event_deliveries SET status = 'retrying', attempts = 0, due_at = clock_timestamp()
    WHERE subscription = :name AND status = 'dead' AND (:seqs::bigint[] IS NULL OR seq = ANY (:seqs))
    RETURNING 1)
SELECT count(*) FROM replayed;

-- name: discard
-- Dead deliveries of a subscription, or those of some events, are given up for good.
WITH discarded AS (
    DELETE FROM event_deliveries
    WHERE subscription = :name AND status = 'dead' AND (:seqs::bigint[] IS NULL OR seq = ANY (:seqs))
    RETURNING 1)
SELECT count(*) FROM discarded;

-- name: pattern
-- What a subscription is for, and since when there is one of that name.
SELECT pattern, created_at FROM event_subscriptions WHERE name = :name;

-- name: remove
-- A subscription is no more.
DELETE FROM event_subscriptions WHERE name = :name RETURNING name;
