-- What was started, completed and came past due on each day is counted in indexes alone.

CREATE INDEX process_instances_started_idx ON process_instances (started_at) WHERE started_at IS NOT NULL;
CREATE INDEX process_instances_completed_idx ON process_instances (completed_at) INCLUDE (status, sla_status)
    WHERE completed_at IS NOT NULL;
CREATE INDEX process_instances_breached_idx ON process_instances (sla_breach_time)
    WHERE sla_breach_time IS NOT NULL;
