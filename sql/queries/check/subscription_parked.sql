-- What is parked for a durable subscription is an event before its position; what is tried again has a time.
SELECT d.subscription AS id, concat('event ', d.seq, ' is parked as ', d.status) AS detail
FROM event_deliveries d
JOIN event_subscriptions s ON s.name = d.subscription
LEFT JOIN process_events e ON e.seq = d.seq AND e.process_instance_id = d.process_instance_id
WHERE e.seq IS NULL
   OR NOT (pg_visible_in_snapshot(e.xid, s.read_from)
           OR (pg_visible_in_snapshot(e.xid, s.read_to) AND e.seq <= s.last_seq))
   OR (d.status = 'retrying') <> (d.due_at IS NOT NULL)
