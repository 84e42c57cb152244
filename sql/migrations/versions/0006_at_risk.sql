-- Figures as of an instant: when a clock is at risk, and what time has brought that nobody has told yet.

ALTER TABLE sla_metrics ADD COLUMN at_risk_at timestamptz;

-- Only the policy and its calendar know when a clock is at risk: the next sweep looks at these and writes it.
UPDATE sla_metrics SET next_at = running_since WHERE running_since IS NOT NULL AND status = 'on_track';

-- The status that items would show at an instant, where they do not show it yet; next_at finds them, so what the
-- sweep has told costs nothing. Of several running clocks an item shows the one due first.
CREATE FUNCTION untold_sla(as_of timestamptz)
RETURNS TABLE (process_instance_id uuid, task_id uuid, sla_status text, due_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT c.process_instance_id, c.task_id, CASE WHEN c.due_at < as_of THEN 'breached' ELSE 'at_risk' END,
           c.due_at
    FROM sla_metrics c
    WHERE c.next_at <= as_of AND c.status <> 'breached' AND (c.due_at < as_of OR c.at_risk_at <= as_of)
      AND NOT EXISTS (
          SELECT FROM sla_metrics first
          WHERE first.process_instance_id = c.process_instance_id
            AND first.task_id IS NOT DISTINCT FROM c.task_id
            AND first.running_since IS NOT NULL
            AND (first.due_at, first.objective COLLATE "C") < (c.due_at, c.objective COLLATE "C"))
$$;

-- The list of breaches is in the order in which they came about, which a due date set by hand does not tell.
DROP INDEX process_instances_sla_idx;
CREATE INDEX process_instances_sla_idx ON process_instances (sla_breach_time)
    WHERE sla_status = 'breached' AND status IN ('pending', 'running', 'suspended');
DROP INDEX tasks_sla_idx;
CREATE INDEX tasks_sla_idx ON tasks (sla_breach_time)
    WHERE sla_status = 'breached' AND status IN ('pending', 'assigned', 'in_progress');

-- A view is made anew by the migration; a new database has it from this one on.
DROP VIEW IF EXISTS v_sla_breaches;
