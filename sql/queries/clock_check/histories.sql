-- The events of the processes that have clocks, process by process, and whether the last sweep could see them.
SELECT e.process_instance_id, e.event_type, e.task_id, e.timestamp,
    jsonb_build_object('reason', e.details -> 'reason', 'ready', e.details -> 'ready'),
    coalesce(pg_visible_in_snapshot(e.xid, s.snapshot), false)
FROM process_events e, sla_sweeps s
WHERE e.process_instance_id IN (SELECT process_instance_id FROM sla_metrics)
ORDER BY e.process_instance_id, e.seq
