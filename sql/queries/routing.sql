-- Who could take the tasks of some teams, and what they have to do.

-- name: lock_teams
-- Teams, and the teams of those who stand in for their people, locked by name: whoever chooses for one of them
-- waits until this choice is committed.
WITH RECURSIVE standing AS (
    SELECT user_id, team, substitute FROM people
    WHERE team = ANY (:teams::text[]) AND out_of_office_from <= :now AND out_of_office_until > :now
    UNION
    SELECT p.user_id, p.team, p.substitute FROM people p JOIN standing s ON p.user_id = s.substitute)
SELECT * FROM teams
WHERE name = ANY (:teams::text[]) OR name IN (SELECT team FROM standing)
ORDER BY name FOR NO KEY UPDATE;

-- name: people
-- The people of teams, and whoever may stand in for those who are away, by id.
WITH RECURSIVE standing AS (
    SELECT user_id, substitute FROM people
    WHERE team = ANY (:teams::text[]) AND out_of_office_from <= :now AND out_of_office_until > :now
    UNION
    SELECT p.user_id, p.substitute FROM people p JOIN standing s ON p.user_id = s.substitute)
SELECT * FROM people
WHERE team = ANY (:teams::text[]) OR user_id IN (SELECT user_id FROM standing)
ORDER BY user_id;

-- name: workloads
-- What the people of teams, and whoever may stand in for those who are away, have: tasks, and their load by
-- number, by priority, and by estimated minutes.
WITH RECURSIVE standing AS (
    SELECT user_id, substitute FROM people
    WHERE team = ANY (:teams::text[]) AND out_of_office_from <= :now AND out_of_office_until > :now
    UNION
    SELECT p.user_id, p.substitute FROM people p JOIN standing s ON p.user_id = s.substitute)
SELECT t.assigned_to, count(*), sum(priority_rank(t.priority)),
       sum(coalesce(t.estimated_duration_mins, :unestimated::integer))
FROM tasks t JOIN process_instances p ON p.id = t.process_instance_id AND p.status = 'running'
WHERE t.assigned_to IN (
        SELECT user_id FROM people WHERE team = ANY (:teams::text[]) UNION SELECT user_id FROM standing)
  AND t.status IN ('assigned', 'in_progress') AND t.ready_at IS NOT NULL
GROUP BY t.assigned_to;

-- name: performers
-- Who worked on a process, and when last.
SELECT claimed_by, max(coalesce(completed_at, claimed_at)) FROM tasks
WHERE process_instance_id = :process_id AND claimed_by IS NOT NULL
GROUP BY claimed_by;

-- name: performers_of_steps
-- Who has, or had at the end, the tasks made from certain steps of a process.
SELECT DISTINCT task_definition_id, assigned_to FROM tasks
WHERE process_instance_id = :process_id AND task_definition_id = ANY (:steps::text[])
  AND assigned_to IS NOT NULL AND status IN ('assigned', 'in_progress', 'completed');

-- name: gave_back
-- Who released which of some tasks of a process.
SELECT task_id, details ->> 'assigned_to' FROM process_events
WHERE process_instance_id = :process_id AND event_type = 'task.released' AND task_id = ANY (:task_ids::uuid[]);

-- name: turn
-- The rotation of a team has come to a person.
UPDATE teams SET round_robin_position = :person WHERE name = :team;

-- name: waiting
-- Tasks that wait in a team's queue until somebody is free: the most urgent first, of those the oldest.
SELECT t.id FROM tasks t
JOIN process_instances p ON p.id = t.process_instance_id AND p.status = 'running'
WHERE t.assigned_team = :team AND t.status = 'pending' AND t.ready_at IS NOT NULL
  AND t.assignment_method <> 'manual'
ORDER BY priority_rank(t.priority) DESC, t.ready_at, t.id
LIMIT :most;

-- name: waiting_in_process
-- The ready tasks of a process that wait for routing, in their order.
SELECT * FROM tasks
WHERE process_instance_id = :process_id AND status = 'pending' AND ready_at IS NOT NULL
  AND assignment_method <> 'manual'
ORDER BY position;

-- name: waiting_teams
-- The teams whose queues are not empty.
SELECT DISTINCT t.assigned_team FROM tasks t
JOIN process_instances p ON p.id = t.process_instance_id AND p.status = 'running'
WHERE t.status = 'pending' AND t.ready_at IS NOT NULL AND t.assignment_method <> 'manual'
  AND t.assigned_team IS NOT NULL
ORDER BY t.assigned_team;

-- name: queue_of_performer
-- The team of a task's person, when something waits in its queue.
SELECT p.team FROM tasks t JOIN people p ON p.user_id = t.assigned_to
WHERE t.id = :task_id AND EXISTS (
    SELECT FROM tasks w
    WHERE w.assigned_team = p.team AND w.status = 'pending' AND w.ready_at IS NOT NULL
      AND w.assignment_method <> 'manual');

-- name: explanation
-- The last event of a task that says how its person was chosen, or why nobody was.
SELECT e.timestamp, e.event_type, e.details
FROM process_events e
WHERE e.process_instance_id = (SELECT process_instance_id FROM tasks WHERE id = :task_id)
  AND e.task_id = :task_id AND e.event_type IN ('task.assigned', 'task.reassigned', 'assignment.needed')
ORDER BY e.seq DESC LIMIT 1;
