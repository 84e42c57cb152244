"""The floor: the five-task case as guarded single statements through psycopg, nothing else.

The same rows are written in the same tables as the engine writes, one prepared statement a commit. Nothing is
validated, decided, or answered.
"""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
from uuid_utils.compat import uuid7

_EVENT = """INSERT INTO process_events (id, process_instance_id, task_id, event_type, event_category,
    severity, user_id, automated, message, details, old_status, new_status, timestamp)
VALUES (%s, %s, %s, %s, 'lifecycle', 'info', %s, false, %s, '{}', %s, %s, %s)"""

_PROCESS = """INSERT INTO process_instances (id, process_definition_id, process_name, process_type, status,
    initiated_by, created_at, started_at, total_steps)
VALUES (%s, 'bare', 'Five tasks', 'custom', 'running', 'ann', %s, %s, 5)"""

_TASK = """INSERT INTO tasks (id, process_instance_id, task_definition_id, task_name, task_type, status,
    substatus, position, depends_on, blocking, open_dependencies, ready_at, created_at)
VALUES (%s, %s, %s, %s, 'manual', 'pending', %s, %s, %s::uuid[], %s::uuid[], %s, %s, %s)"""

_LOG = """INSERT INTO process_events (id, process_instance_id, task_id, event_type, event_category, severity,
    user_id, automated, message, details, old_status, new_status, timestamp)"""

_ASSIGN = f"""WITH moved AS (
    UPDATE tasks SET status = 'assigned', assigned_to = %(user)s WHERE id = %(task)s AND status = 'pending'
    RETURNING id, process_instance_id),
opened AS (
    INSERT INTO task_assignments (id, task_id, assigned_to, assigned_by, assigned_at)
    SELECT %(assignment)s, id, %(user)s, 'ann', %(at)s FROM moved)
{_LOG} SELECT %(event)s, process_instance_id, id, 'task.assigned', 'assignment', 'info', 'ann', false,
    'assigned', '{{}}', 'pending', 'assigned', %(at)s FROM moved"""

_START = f"""WITH moved AS (
    UPDATE tasks SET status = 'in_progress', substatus = NULL, started_at = %(at)s, claimed_by = %(user)s,
        claimed_at = %(at)s
    WHERE id = %(task)s AND status = 'assigned' AND assigned_to = %(user)s AND open_dependencies = 0
    RETURNING id, process_instance_id),
accepted AS (
    UPDATE task_assignments a SET accepted_at = %(at)s, time_to_accept_mins = 0
    FROM moved WHERE a.task_id = moved.id AND a.status = 'active')
{_LOG} SELECT %(event)s, process_instance_id, id, 'task.started', 'lifecycle', 'info', %(user)s, false,
    'started', '{{}}', 'assigned', 'in_progress', %(at)s FROM moved"""

_COMPLETE = f"""WITH moved AS (
    UPDATE tasks SET status = 'completed', completed_at = %(at)s, actual_duration_mins = 0,
        output_data = %(output)s
    WHERE id = %(task)s AND status = 'in_progress' AND assigned_to = %(user)s
    RETURNING id, process_instance_id),
closed AS (
    UPDATE task_assignments a SET status = 'completed', completed_at = %(at)s, time_to_complete_mins = 0
    FROM moved WHERE a.task_id = moved.id AND a.status = 'active'),
freed AS (
    UPDATE tasks SET open_dependencies = open_dependencies - 1, substatus = 'ready', ready_at = %(at)s
    FROM moved WHERE tasks.id = %(next)s AND tasks.open_dependencies = 1
    RETURNING tasks.id, tasks.process_instance_id),
advanced AS (
    UPDATE process_instances p SET current_step = current_step + 1,
        progress_percentage = round(100.0 * (current_step + 1) / total_steps, 2),
        status = CASE WHEN %(next)s::uuid IS NULL THEN 'completed' ELSE status END,
        completed_at = CASE WHEN %(next)s::uuid IS NULL THEN %(at)s::timestamptz END
    FROM moved WHERE p.id = moved.process_instance_id AND p.status = 'running' RETURNING p.id, p.status)
{_LOG}
SELECT %(event)s::uuid, process_instance_id, id, 'task.completed', 'lifecycle', 'info', %(user)s, false,
    'completed', '{{}}'::jsonb, 'in_progress', 'completed', %(at)s::timestamptz FROM moved
UNION ALL
SELECT %(second)s, process_instance_id, id, 'task.ready', 'lifecycle', 'info', %(user)s, false,
    'ready', '{{}}', NULL, NULL, %(at)s FROM freed
UNION ALL
SELECT %(second)s, id, NULL, 'process.completed', 'lifecycle', 'info', %(user)s, false,
    'completed', '{{}}', 'running', 'completed', %(at)s FROM advanced WHERE status = 'completed'"""


def five_task_case(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Start a process with five chained tasks; assign, start and complete each: 16 commits."""
    execute = connection.execute
    process, tasks, at = uuid7(), [uuid7() for _ in range(5)], datetime.now(UTC)
    with connection.transaction():
        execute(_PROCESS, (process, at, at), prepare=True)
        execute(_EVENT, (uuid7(), process, None, "process.started", "ann", "started", None, "running", at))
        for i, task in enumerate(tasks):
            depends_on, blocking = tasks[i - 1 : i] if i else [], tasks[i + 1 : i + 2]
            ready = (0, at) if i == 0 else (1, None)
            substatus = "blocked" if i else "ready"
            row = (task, process, f"s{i}", f"Step {i}", substatus, i, depends_on, blocking, *ready, at)
            execute(_TASK, row, prepare=True)
            event = (uuid7(), process, task, "task.created", "ann", "created", None, "pending", at)
            execute(_EVENT, event, prepare=True)
    for i, task in enumerate(tasks):
        common = {"task": task, "user": "bob"}
        ids = {"assignment": uuid7(), "event": uuid7()}
        execute(_ASSIGN, {**common, **ids, "at": datetime.now(UTC)}, prepare=True)
        execute(_START, {**common, "event": uuid7(), "at": datetime.now(UTC)}, prepare=True)
        following = tasks[i + 1] if i < 4 else None
        last = {"event": uuid7(), "second": uuid7(), "next": following, "output": '{"done": true}'}
        execute(_COMPLETE, {**common, **last, "at": datetime.now(UTC)}, prepare=True)
