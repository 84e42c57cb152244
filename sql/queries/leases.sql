-- Leases: who may run jobs, judged by the database's clock alone. They last 10 seconds.

-- name: ensure
-- The lease is there to be taken.
INSERT INTO job_lease (name) VALUES (:name) ON CONFLICT (name) DO NOTHING;

-- name: take
-- The lease for a new epoch, with the database's time, and whether whoever had it last has not given it back; no
-- row while somebody holds it. Waits for a fenced transaction in flight.
WITH free AS (SELECT name, holder FROM job_lease WHERE name = :name AND expires_at <= clock_timestamp() FOR UPDATE)
UPDATE job_lease l
SET holder = :holder, epoch = l.epoch + 1, expires_at = clock_timestamp() + interval '10 seconds'
FROM free WHERE l.name = free.name
RETURNING l.epoch, clock_timestamp(), free.holder IS NOT NULL;

-- name: renew
-- Ten more seconds, with the database's time; no row when the lease has lapsed, even if nobody took it.
UPDATE job_lease SET expires_at = clock_timestamp() + interval '10 seconds'
WHERE name = :name AND epoch = :epoch AND expires_at > clock_timestamp()
RETURNING epoch, clock_timestamp();

-- name: release
-- Free for anybody at once.
UPDATE job_lease SET expires_at = clock_timestamp(), holder = NULL
WHERE name = :name AND epoch = :epoch AND expires_at > clock_timestamp();

-- name: fence
-- Refuses the transaction unless the lease still has its epoch. Nobody can take it before the transaction has
-- ended, while renewals pass by; if its client falls silent, the transaction is ended for it.
SELECT require_rows(count(*), 1), set_config('idle_in_transaction_session_timeout', '5s', true)
FROM (
    SELECT FROM job_lease WHERE name = :name AND epoch = :epoch AND expires_at > clock_timestamp()
    FOR KEY SHARE) held;

-- name: now
-- The database's time, and who holds a lease.
SELECT clock_timestamp(), (SELECT holder FROM job_lease WHERE name = :name AND expires_at > clock_timestamp());
