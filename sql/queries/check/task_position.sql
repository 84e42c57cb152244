-- No two tasks of a process have the same position.
SELECT process_instance_id AS id, concat(count(*), ' tasks at position ', position) AS detail
FROM tasks
GROUP BY process_instance_id, position
HAVING count(*) > 1
