-- Who could take the tasks of some teams, and what they have to do.

-- name: lock_teams
-- Teams, and the teams of those who stand in for their people, locked by name: whoever chooses for one of them
-- waits until this choice is committed.
SELECT * FROM teams
WHERE name = ANY (:teams::text[])
   OR name IN (SELECT p.team FROM people_within_reach(:teams, :people, :now) r JOIN people p USING (user_id))
ORDER BY name FOR NO KEY UPDATE;

-- name: lock_people
-- Those within reach who are in no team, locked by id: there is no team whose lock would stand for them.
SELECT p.user_id FROM people p
WHERE p.team IS NULL AND p.user_id IN (SELECT user_id FROM people_within_reach(:teams, :people, :now))
ORDER BY p.user_id FOR NO KEY UPDATE OF p;

-- name: people
-- The people of teams, some people besides, and whoever may stand in for those who are away, by id.
SELECT p.* FROM people_within_reach(:teams, :people, :now) r JOIN people p USING (user_id) ORDER BY p.user_id;

-- name: workloads
-- What they have: tasks, and their load by number, by priority, and by estimated minutes. Processes that are about to
-- run count as if they did.
SELECT t.assigned_to, count(*), sum(priority_rank(t.priority)),
       sum(coalesce(t.estimated_duration_mins, :unestimated::integer))
FROM tasks t JOIN process_instances p
  ON p.id = t.process_instance_id AND (p.status = 'running' OR p.id = ANY (:about_to_run::uuid[]))
WHERE t.assigned_to IN (SELECT user_id FROM people_within_reach(:teams, :people, :now))
  AND t.status IN ('assigned', 'in_progress') AND t.ready_at IS NOT NULL
GROUP BY t.assigned_to;

-- name: hurry
-- Whoever holds what this transaction wants to lock is waited for a second, no longer.
SELECT set_config('lock_timeout', '1s', true);

-- name: performers
-- Who worked on processes, and when last.
SELECT process_instance_id, claimed_by, max(coalesce(completed_at, claimed_at)) FROM tasks
WHERE process_instance_id = ANY (:process_ids::uuid[]) AND claimed_by IS NOT NULL
GROUP BY process_instance_id, claimed_by;

-- name: performers_of_steps
-- Who has, or had at the end, the tasks made from certain steps of processes.
SELECT DISTINCT process_instance_id, task_definition_id, assigned_to FROM tasks
WHERE process_instance_id = ANY (:process_ids::uuid[]) AND task_definition_id = ANY (:steps::text[])
  AND assigned_to IS NOT NULL AND status IN ('assigned', 'in_progress', 'completed');

-- name: gave_back
-- Who gave back which of some tasks since somebody put it into a queue. What GNDP took back by itself, from
-- somebody who is away, nobody gave back.
SELECT r.task_id, r.details ->> 'assigned_to' FROM process_events r
WHERE r.task_id = ANY (:task_ids::uuid[]) AND r.event_type = 'task.released' AND NOT r.automated
  AND NOT EXISTS (
    SELECT FROM process_events q
    WHERE q.task_id = r.task_id AND q.event_type = 'task.queued' AND q.seq > r.seq);

-- name: remember
-- Where the rotation of a team stands, and whether it was told that its work is uneven.
UPDATE teams SET round_robin_position = :round_robin_position, imbalance_told = :imbalance_told
WHERE name = :name;

-- name: queue
-- Tasks that wait in a team's queue until somebody is free: the most urgent first, of those the oldest. So many
-- after a place in that order.
SELECT t.id, t.task_name, t.assignment_method, t.required_skills, t.priority, t.estimated_duration_mins,
       t.task_definition_id, p.id, p.process_definition_id, p.definition_version,
       -priority_rank(t.priority), t.ready_at
FROM tasks t
JOIN process_instances p ON p.id = t.process_instance_id AND p.status = 'running'
WHERE t.assigned_team = :team AND t.status = 'pending' AND t.ready_at IS NOT NULL
  AND t.assignment_method <> 'manual'
  AND (-priority_rank(t.priority), t.ready_at, t.id) > (:after_urgency::integer, :after_ready, :after_id::uuid)
ORDER BY -priority_rank(t.priority), t.ready_at, t.id
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

-- name: untold
-- Tasks that wait in a queue though, since they came into it, nobody was found or said to be needed: the server
-- that was to look for somebody died before it could.
SELECT t.id FROM tasks t
JOIN process_instances p ON p.id = t.process_instance_id AND p.status = 'running'
WHERE t.status = 'pending' AND t.ready_at IS NOT NULL AND t.assignment_method <> 'manual'
  AND t.assigned_team IS NOT NULL AND NOT was_told(t.id)
ORDER BY t.id LIMIT 1000;

-- name: lock_processes
-- The processes of some tasks, locked in the order of their ids, each with the transaction's own time. One that
-- another command holds at this moment is left out.
SELECT now(), p.* FROM process_instances p
WHERE p.id IN (SELECT process_instance_id FROM tasks WHERE id = ANY (:task_ids::uuid[]))
ORDER BY p.id FOR NO KEY UPDATE SKIP LOCKED;

-- name: waiting
-- Those of some tasks that wait in a queue, each with the instant of the newest event of its process, and whether
-- it was said that the task needs somebody. A statement of its own, after the lock.
SELECT t.*, e.timestamp, was_told(t.id)
FROM tasks t
JOIN process_instances p ON p.id = t.process_instance_id AND p.status = 'running'
CROSS JOIN LATERAL (
    SELECT timestamp FROM process_events
    WHERE process_instance_id = t.process_instance_id ORDER BY seq DESC LIMIT 1) e
WHERE t.id = ANY (:task_ids::uuid[]) AND t.status = 'pending' AND t.ready_at IS NOT NULL
  AND t.assignment_method <> 'manual' AND t.assigned_team IS NOT NULL;

-- name: clocks
-- The revision of the policies, then the clocks of some tasks and of their processes, each with its task's name.
SELECT r.revision, c.*, t.task_name
FROM sla_revision r
LEFT JOIN LATERAL (
    SELECT * FROM sla_metrics
    WHERE process_instance_id IN (SELECT process_instance_id FROM tasks WHERE id = ANY (:task_ids::uuid[]))
      AND task_id IS NULL
    UNION ALL
    SELECT * FROM sla_metrics WHERE task_id = ANY (:task_ids::uuid[])) c ON true
LEFT JOIN tasks t ON t.id = c.task_id;

-- name: queues_of_people
-- The teams in whose queues something waits that these people could take: their own, and those of the people
-- for whom they stand in, directly or not. The people are a JSON array, for with ANY each command that ends a
-- task would wait for a new plan: its cost would seem to depend on how many they are.
WITH RECURSIVE answering AS (
    SELECT p.user_id, p.team FROM jsonb_array_elements_text(:people) u JOIN people p ON p.user_id = u.value
    UNION
    SELECT p.user_id, p.team FROM people p JOIN answering a ON p.substitute = a.user_id
    WHERE p.out_of_office_from <= :now AND p.out_of_office_until > :now)
SELECT DISTINCT a.team FROM answering a WHERE EXISTS (
    SELECT FROM tasks t
    WHERE t.assigned_team = a.team AND t.status = 'pending' AND t.ready_at IS NOT NULL
      AND t.assignment_method <> 'manual');

-- name: queues_of_process
-- The teams that could give something out because a process began or ceased to accept work: those in whose
-- queues its tasks wait, and those of the people who have its tasks.
WITH RECURSIVE answering AS (
    SELECT p.user_id, p.team FROM tasks t JOIN people p ON p.user_id = t.assigned_to
    WHERE t.process_instance_id = :process_id AND t.status IN ('assigned', 'in_progress')
    UNION
    SELECT p.user_id, p.team FROM people p JOIN answering a ON p.substitute = a.user_id
    WHERE p.out_of_office_from <= :now AND p.out_of_office_until > :now)
SELECT team FROM answering WHERE team IS NOT NULL
UNION
SELECT assigned_team FROM tasks
WHERE process_instance_id = :process_id AND status = 'pending' AND ready_at IS NOT NULL
  AND assignment_method <> 'manual' AND assigned_team IS NOT NULL;

-- name: left_behind
-- Ready tasks that their people will not do now: who is out of office has not begun them, who is not active has
-- left for good. A thousand after an id. A task without a team waits for somebody away who has no substitute.
SELECT t.id FROM people p
JOIN tasks t ON t.assigned_to = p.user_id AND t.status IN ('assigned', 'in_progress')
JOIN process_instances i ON i.id = t.process_instance_id AND i.status = 'running'
WHERE t.ready_at IS NOT NULL AND t.id > :after_id
  AND (NOT p.active
       OR (t.status = 'assigned' AND p.out_of_office_from <= :now AND p.out_of_office_until > :now
           AND (t.assigned_team IS NOT NULL OR p.substitute IS NOT NULL)))
ORDER BY t.id LIMIT 1000;

-- name: watched_teams
-- The teams whose balance is watched.
SELECT name FROM teams WHERE imbalance_limit IS NOT NULL ORDER BY name;

-- name: newest_task
-- The task that somebody was given last, of those that count as load.
SELECT t.id FROM tasks t
JOIN process_instances p ON p.id = t.process_instance_id AND p.status = 'running'
JOIN task_assignments a ON a.task_id = t.id AND a.status = 'active'
WHERE t.assigned_to = :person AND t.status IN ('assigned', 'in_progress') AND t.ready_at IS NOT NULL
ORDER BY a.assigned_at DESC, t.id DESC LIMIT 1;

-- name: explanation
-- The last event of a task that gave it to somebody, took it from them, or said that somebody is needed.
SELECT e.timestamp, e.event_type, e.details
FROM process_events e
WHERE e.process_instance_id = (SELECT process_instance_id FROM tasks WHERE id = :task_id)
  AND e.task_id = :task_id
  AND (e.event_type IN ('task.assigned', 'task.reassigned', 'task.released', 'task.queued', 'assignment.needed')
       OR e.event_type = 'task.retried' AND e.new_status = 'pending')
ORDER BY e.seq DESC LIMIT 1;
