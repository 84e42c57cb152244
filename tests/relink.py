"""Linking the chain of events anew: what a forger with the whole database in hand would do."""

RELINK = """
    CREATE OR REPLACE AGGREGATE pg_temp.event_chain (text) (SFUNC = event_link, STYPE = bytea, INITCOND = '');
    UPDATE process_events e SET hash = linked.hash
    FROM (
        SELECT id, pg_temp.event_chain(event_content(e)) OVER (
            PARTITION BY process_instance_id ORDER BY seq) AS hash
        FROM process_events e) AS linked
    WHERE linked.id = e.id AND linked.hash <> e.hash;
"""
"""Every hash as the events give it; for sessions without triggers."""
