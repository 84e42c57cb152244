-- A durable subscription has passed exactly the events that lie before its position.
SELECT s.name AS id, concat('passed ', s.passed, ' events, ', before.count, ' lie before its position',
                            ' (sums of seq: ', s.passed_seqs, ' and ', before.seqs, ')') AS detail
FROM event_subscriptions s
CROSS JOIN LATERAL (
    SELECT count(*) AS count, coalesce(sum(e.seq), 0) AS seqs
    FROM process_events e
    WHERE NOT pg_visible_in_snapshot(e.xid, s.started_from)
      AND (pg_visible_in_snapshot(e.xid, s.read_from)
           OR (pg_visible_in_snapshot(e.xid, s.read_to) AND e.seq <= s.last_seq))
      AND e.event_type LIKE event_types(s.pattern)
      AND (s.starts_at IS NULL OR e.timestamp >= s.starts_at)) before
WHERE (s.passed, s.passed_seqs) <> (before.count, before.seqs)
