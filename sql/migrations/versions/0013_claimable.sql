-- What anybody of a team may claim, due soonest first: a queue may be long, and a page shows its beginning.
CREATE INDEX tasks_claimable_idx ON tasks (assigned_team, due_date) WHERE status = 'pending' AND ready_at IS NOT NULL;
