-- Every event has the hash that follows from what it says and from the event before it of its process.
SELECT DISTINCT ON (process_instance_id) id, process_instance_id,
    concat('the chain of process ', process_instance_id, ' breaks at seq ', seq) AS detail
FROM (
    SELECT id, process_instance_id, seq, hash,
        event_link(lag(hash, 1, '') OVER (PARTITION BY process_instance_id ORDER BY seq),
            event_content(e)) AS expected
    FROM process_events e) AS linked
WHERE hash <> expected
ORDER BY process_instance_id, seq
