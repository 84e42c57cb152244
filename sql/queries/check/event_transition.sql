-- Every change of status is one that a command may make; a status that nothing leaves is entered only once.
WITH allowed AS (
    SELECT true AS of_task, pair.* FROM unnest(%(task_from)s::text[], %(task_to)s::text[])
        AS pair (old_status, new_status)
    UNION
    SELECT false, pair.* FROM unnest(%(process_from)s::text[], %(process_to)s::text[])
        AS pair (old_status, new_status)
)
SELECT e.id, concat(e.event_type, ' goes from ', coalesce(e.old_status, 'nothing'), ' to ', e.new_status) AS detail
FROM process_events e
WHERE e.new_status IS NOT NULL
    -- An event may tell of a change beside the status (a comment, another assignee): same before and after.
    AND NOT coalesce(e.old_status = e.new_status AND e.old_status = ANY (
        CASE WHEN e.task_id IS NULL THEN %(process_from)s::text[] ELSE %(task_from)s::text[] END), false)
    AND NOT EXISTS (
        SELECT FROM allowed a
        WHERE a.of_task = (e.task_id IS NOT NULL) AND a.new_status = e.new_status
            AND coalesce(a.old_status, '') = coalesce(e.old_status, ''))
