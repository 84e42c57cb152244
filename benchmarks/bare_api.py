"""The floor under the API: a bare FastAPI and psycopg application, one SELECT and one insert-and-event
transaction, nothing else."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import FastAPI, HTTPException
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool
from pydantic import BaseModel
from uuid_utils.compat import uuid7

pool = ConnectionPool(
    os.environ["GNDP_DATABASE_URL"],
    min_size=2,
    max_size=20,
    open=False,
    kwargs={"autocommit": True, "row_factory": dict_row, "prepare_threshold": 0},
)


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    pool.open()
    yield
    pool.close()


app = FastAPI(lifespan=_lifespan)


class Done(BaseModel):
    user_id: str
    output_data: dict[str, Any]


@app.get("/api/tasks/{id}")
def task(id: UUID) -> dict[str, Any]:
    with pool.connection() as connection:
        row = connection.execute("SELECT * FROM tasks WHERE id = %s", (id,)).fetchone()
    if row is None:
        raise HTTPException(404)
    return row


@app.post("/api/tasks/{id}/complete")
def complete(id: UUID, body: Done) -> dict[str, Any]:
    """One insert and its event, in a transaction: what it is about hangs on the task's process."""
    at = datetime.now(UTC)
    with pool.connection() as connection, connection.transaction():
        row = connection.execute(
            "INSERT INTO tasks (id, process_instance_id, task_definition_id, task_name, task_type, status,"
            " position, assigned_to, created_at, completed_at)"
            " SELECT %s, process_instance_id, 'bare', 'Bare', 'manual', 'completed', 1000, %s, %s, %s"
            " FROM tasks WHERE id = %s RETURNING *",
            (uuid7(), body.user_id, at, at, id),
        ).fetchone()
        if row is None:
            raise HTTPException(404)
        connection.execute(
            "INSERT INTO process_events (id, process_instance_id, task_id, event_type, event_category,"
            " severity, user_id, automated, message, details, timestamp)"
            " VALUES (%s, %s, %s, 'task.completed', 'lifecycle', 'info', %s, false, 'completed', '{}', %s)",
            (uuid7(), row["process_instance_id"], row["id"], body.user_id, at),
        )
    return row
