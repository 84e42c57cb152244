"""Random tampering with the log, by somebody who can write to the database and switch its triggers off."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from gndp.core.states import AuditFault

FORGED = {
    "id": "gen_random_uuid()",
    "seq": "seq + 1000000",
    "process_instance_id": "gen_random_uuid()",
    "task_id": "CASE WHEN task_id IS NULL THEN gen_random_uuid() END",
    "event_type": "event_type || 'x'",
    "event_category": "event_category || ' '",
    "severity": "CASE severity WHEN 'info' THEN 'error' ELSE 'info' END",
    "user_id": "CASE user_id WHEN 'ann' THEN 'bob' ELSE 'ann' END",
    "user_name": "'ann'",
    "automated": "NOT automated",
    "message": "'x' || message",
    "details": """details || '{"forged": 1}'""",
    "old_status": "CASE WHEN old_status IS NULL THEN '' END",
    "new_status": "coalesce(new_status, '') || 'x'",
    "old_data": "'null'",
    "new_data": "CASE WHEN new_data IS NULL THEN 'null'::jsonb END",
    "timestamp": "timestamp + interval '1 microsecond'",
    "correlation_id": "coalesce(correlation_id, '') || 'x'",
    "causation_id": "gen_random_uuid()",
    "tags": "tags || 'forged'::text",
    "hash": "sha256(hash)",
}
"""Every column that the chain covers, and the chain's own, with another value for it."""

COPY = """
    INSERT INTO process_events OVERRIDING SYSTEM VALUE
    SELECT (jsonb_populate_record(e, %s)).* FROM process_events e"""
"""Events once more, but for what is given."""

LINK = """
    UPDATE process_events e SET hash = event_link(coalesce((
        SELECT hash FROM process_events before
        WHERE before.process_instance_id = %(process_id)s AND before.seq < %(seq)s
        ORDER BY before.seq DESC LIMIT 1), ''), event_content(e))
    WHERE id = %(id)s"""
"""Links one event to the one before it."""


class Line(NamedTuple):
    """What is needed of an event to tamper with it."""

    id: UUID
    seq: int


class Tampering(NamedTuple):
    """What was done, to which process, and what an audit may call it."""

    what: str
    process_id: UUID
    faults: set[AuditFault]


class Forger:
    """Tampers with one random process at a time."""

    def __init__(self, connection: psycopg.Connection[Any], random: Random) -> None:
        self.connection = connection
        self.random = random

    def tamper(self, *, relinked: bool = False) -> Tampering:
        """Do something; ``relinked`` when the chain is to be linked anew afterwards."""
        ways: list[Callable[[UUID, list[Line]], set[AuditFault]]] = [
            self.edit,
            self.delete,
            self.insert,
            self.swap,
            self.cut,
            self.delete_process,
        ]
        way = self.random.choice(ways)
        process_id, lines = self.choose()
        self.columns = [column for column in FORGED if not (relinked and column == "hash")]
        faults = way(process_id, lines)
        return Tampering(f"{way.__name__} {self.did}", process_id, faults)

    def choose(self) -> tuple[UUID, list[Line]]:
        ids = self.connection.execute("SELECT id FROM process_instances ORDER BY created_at, id").fetchall()
        (process_id,) = self.random.choice(ids)
        rows = self.connection.execute(
            "SELECT id, seq FROM process_events WHERE process_instance_id = %s ORDER BY seq", [process_id]
        )
        return process_id, [Line._make(row) for row in rows]

    def run(self, text: str, *values: Any) -> None:
        self.did = f"{text} {values}"
        assert self.connection.execute(text.encode(), values).rowcount > 0

    def edit(self, _: UUID, lines: list[Line]) -> set[AuditFault]:
        column = self.random.choice(self.columns)
        line = self.random.choice(lines)
        self.run(f"UPDATE process_events SET {column} = {FORGED[column]} WHERE id = %s", line.id)
        return self.history_or_tail(line, lines)

    def delete(self, _: UUID, lines: list[Line]) -> set[AuditFault]:
        line = self.random.choice(lines)
        self.run("DELETE FROM process_events WHERE id = %s", line.id)
        return self.history_or_tail(line, lines)

    def insert(self, process_id: UUID, lines: list[Line]) -> set[AuditFault]:
        """A copy of an event, before the last one, linked to the one before it."""
        taken = {line.seq for line in lines}
        seq = self.random.choice([seq for seq in range(-9, lines[-1].seq) if seq not in taken])
        copy = {"id": str(uuid4()), "seq": seq}
        self.run(f"{COPY} WHERE id = %s", Jsonb(copy), self.random.choice(lines).id)
        self.connection.execute(LINK, copy | {"process_id": process_id})
        return {AuditFault.CHAIN_BROKEN, AuditFault.HISTORY_REWRITTEN}

    def swap(self, _: UUID, lines: list[Line]) -> set[AuditFault]:
        one, other = self.random.sample(lines, 2)
        self.run(
            "UPDATE process_events SET seq = CASE id WHEN %s THEN %s::bigint ELSE %s::bigint END"
            " WHERE id IN (%s, %s)",
            *(one.id, other.seq, one.seq, one.id, other.id),
        )
        return {AuditFault.CHAIN_BROKEN, AuditFault.HISTORY_REWRITTEN}

    def cut(self, process_id: UUID, lines: list[Line]) -> set[AuditFault]:
        first = self.random.choice(lines[1:])
        self.run(
            "DELETE FROM process_events WHERE process_instance_id = %s AND seq >= %s", process_id, first.seq
        )
        return {AuditFault.TAIL_CUT}

    def delete_process(self, process_id: UUID, _: list[Line]) -> set[AuditFault]:
        for table in ("process_events", "sla_metrics", "tasks"):
            self.connection.execute(
                f"DELETE FROM {table} WHERE process_instance_id = %s".encode(), [process_id]
            )
        self.run("DELETE FROM process_instances WHERE id = %s", process_id)
        return {AuditFault.PROCESS_GONE}

    @staticmethod
    def history_or_tail(line: Line, lines: list[Line]) -> set[AuditFault]:
        faults = {AuditFault.CHAIN_BROKEN, AuditFault.HISTORY_REWRITTEN}
        return faults | {AuditFault.TAIL_CUT} if line == lines[-1] else faults
