-- What routing needs of a task, and the queue of tasks that wait until somebody is free.

ALTER TABLE tasks ADD COLUMN required_skills jsonb NOT NULL DEFAULT '{}';

ALTER TABLE task_assignments DROP CONSTRAINT task_assignments_method_check;
ALTER TABLE task_assignments ADD CONSTRAINT task_assignments_method_check CHECK (assignment_method IN
    ('manual', 'round_robin', 'load_balanced', 'skill_based', 'last_performer'));
ALTER TABLE tasks DROP CONSTRAINT tasks_assignment_method_check;
ALTER TABLE tasks ADD CONSTRAINT tasks_assignment_method_check CHECK (assignment_method IN
    ('manual', 'round_robin', 'load_balanced', 'skill_based', 'last_performer'));

-- A view keeps the columns that its table had: it is made anew by the migration.
DROP VIEW v_my_tasks;

CREATE INDEX tasks_waiting_idx ON tasks (assigned_team, ready_at)
    WHERE status = 'pending' AND ready_at IS NOT NULL AND assignment_method <> 'manual';
