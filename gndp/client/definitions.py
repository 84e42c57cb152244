"""Process definitions: ``wb.definitions``, as ``gndp.engine.definitions`` has it."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

from gndp.client.encoding import segment
from gndp.client.noun import Noun
from gndp.client.replies import record, records
from gndp.core.documents import read_document
from gndp.core.errors import Problem
from gndp.core.records import Definition
from gndp.core.templates import Template, template_document


class Definitions(Noun):
    """Templates, each published as numbered, immutable versions."""

    def publish(
        self,
        document: str | bytes | Mapping[str, Any] | Template,
        *,
        user_id: str | None = None,
        expected_version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Definition:
        """Publish a definition as its next version; the newest one again when nothing changed.

        ``document`` is YAML or JSON text, a mapping, or a ``Template``. Raises Invalid with every problem of
        a bad document, Conflict when its newest version is not ``expected_version`` (0: there is none yet).
        """
        options = {"expected_version": expected_version, "idempotency_key": idempotency_key}
        published = self._transport.command(
            "POST", "/definitions", _plain(document), query={"user_id": user_id}, options=options
        )
        return record(Definition, published)

    def validate(self, document: str | bytes | Mapping[str, Any] | Template) -> builtins.list[Problem]:
        """Everything that is wrong with a definition, by the server's rules, without publishing it."""
        verdict = self._transport.change(
            "POST", "/validation/definition", _plain(document), is_repeatable=True
        )
        return [Problem(problem["place"], problem["message"]) for problem in verdict["problems"]]

    def get(self, definition_id: str, version: int | None = None) -> Definition:
        """A published version, by default the newest; NotFound when there is none."""
        path = f"/definitions/{segment(definition_id, 'definition_id')}"
        return record(Definition, self._transport.get(path, {"version": version}))

    def list(self) -> builtins.list[Definition]:
        """The newest version of every definition, by id."""
        return records(Definition, self._transport.get("/definitions"))


def _plain(document: Any) -> Any:
    if isinstance(document, str | bytes):
        return read_document(document)
    return template_document(document) if isinstance(document, Template) else document
