-- All clocks with what they run by, process by process.
SELECT c.*, x.document FROM sla_metrics c JOIN sla_terms x ON x.fingerprint = c.terms
ORDER BY c.process_instance_id
