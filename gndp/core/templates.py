"""Process definitions ("templates"): phases and steps, read from YAML or JSON or made of typed objects.

A definition that passed `parse_template` can be published and started: its ids are unique, its references
lead somewhere, its dependencies form no cycle, its forms are JSON Schema. `template_json_schema` describes
the document for editors and other programs; the same schema does the first half of the checking here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import cache, cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

from gndp.core.documents import read_document
from gndp.core.errors import Invalid, NotFound, Problem
from gndp.core.forms import DIALECT, FormValidator, form_problems
from gndp.core.states import AssignmentMethod, Meaning, Priority, ProcessType, TaskType
from gndp.core.values import MAX_DEPTH, at, bounded, shown, validate_texts

MAX_MINUTES = 5_256_000
"""The longest target or estimate: ten years."""

MAX_CYCLES = 20
"""How many cycles of one definition are reported."""


@dataclass(frozen=True)
class Step:
    """One step of a definition: each process started from it gets one task of it.

    ``id`` is unique in the definition. ``depends_on`` names the steps, of any phase, that must be completed
    or skipped first; ``different_person_from`` the steps that somebody else must have done. Minutes are
    those of `template_json_schema`, skills go from name to level 1–5, and ``form`` is the JSON Schema of
    the task's output_data. Nothing is checked until the whole passes `parse_template`.
    """

    id: str
    name: str
    type: str = TaskType.MANUAL.value
    team: str | None = None
    required_skills: Mapping[str, int] = field(default_factory=dict)
    assignment_method: str = AssignmentMethod.MANUAL.value
    priority: str | None = None
    estimated_minutes: int | None = None
    sla_minutes: int | None = None
    max_retries: int = 3
    depends_on: tuple[str, ...] = ()
    different_person_from: tuple[str, ...] = ()
    form: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Phase:
    """A named stretch of a definition. The only phase of a definition without phases has no name."""

    name: str | None
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Template:
    """A process definition: what it is called and its steps, phase by phase.

    ``priority``, ``sla_minutes`` and ``estimated_minutes`` are what a process gets when whoever starts it
    says nothing else.
    """

    id: str
    name: str
    phases: tuple[Phase, ...]
    description: str | None = None
    process_type: str = ProcessType.CUSTOM.value
    priority: str | None = None
    sla_minutes: int | None = None
    estimated_minutes: int | None = None

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """All steps in the order of the document."""
        return tuple(step for phase in self.phases for step in phase.steps)

    def step(self, step_id: str) -> Step:
        """The step with this id; NotFound when there is none."""
        return self._placed(step_id)[1]

    def phase_of(self, step_id: str) -> str | None:
        """The name of the phase that the step is in, None without phases; NotFound for an unknown step."""
        return self._placed(step_id)[0].name

    def people_apart(self, step_id: str) -> frozenset[str]:
        """The steps that must be done by somebody else than this one, whichever of the two says so."""
        return self._apart.get(step_id, frozenset())

    def _placed(self, step_id: str) -> tuple[Phase, Step]:
        if step_id not in self._places:
            raise NotFound("step", step_id)
        return self._places[step_id]

    @cached_property
    def _places(self) -> dict[str, tuple[Phase, Step]]:
        return {step.id: (phase, step) for phase in self.phases for step in phase.steps}

    @cached_property
    def _apart(self) -> dict[str, frozenset[str]]:
        apart: dict[str, set[str]] = {}
        for step in self.steps:
            for other in step.different_person_from:
                apart.setdefault(step.id, set()).add(other)
                apart.setdefault(other, set()).add(step.id)
        return {step_id: frozenset(others) for step_id, others in apart.items()}


def parse_template(document: str | bytes | Mapping[str, Any] | Template) -> Template:
    """The definition that ``document`` describes: YAML or JSON text, a mapping, or a Template to be checked.

    Raises Invalid with every problem of the document at once, each with its place, such as
    ``phases[1].steps[0].depends_on[2]``. A text that is not YAML, repeats a key or is too large is refused
    for that alone (`read_document`).
    """
    if isinstance(document, str | bytes):
        raw = read_document(document)
    elif isinstance(document, Template):
        raw = template_document(document)
    else:
        raw = _plain(document)
    problems = bounded(_problems(raw))
    if problems:
        raise Invalid(*problems)
    return _built(raw)


def template_document(template: Template) -> dict[str, Any]:
    """The definition as a JSON document, without what is at its default; `parse_template` reads it back."""
    document: dict[str, Any] = _plain(template)
    match document.get("phases"):
        case [{"name": None, "steps": steps}]:
            del document["phases"]
            document["steps"] = steps
    return document


def fingerprint(template: Template) -> str:
    """The SHA-256 of the definition's document, in hexadecimal: equal for definitions that say the same.

    The order of keys, spelled-out defaults, and whether it was YAML, JSON or objects make no difference.
    """
    document = template_document(template)
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


# The published schema ---------------------------------------------------------------------------------


def template_json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a definition document, with a description of every field.

    What it cannot say (unique ids, references that lead somewhere, no cycle) `parse_template` checks.
    """
    return _schema({"$ref": DIALECT})


def _schema(form: dict[str, Any]) -> dict[str, Any]:
    """The schema of a definition; ``form`` is the schema of a step's form."""
    return {
        "$schema": DIALECT,
        "$id": "urn:gndp:definition",
        "title": "GNDP process definition",
        "description": "A process: its steps, in phases or in one plain list, and what each asks for.",
        "type": "object",
        "required": ["id", "name"],
        "if": {"required": ["steps"]},
        "then": {"properties": {"phases": {"not": {}}}},
        "else": {"required": ["phases"]},
        "additionalProperties": False,
        "properties": {
            "id": _id("a-z0-9", "Names the definition; its versions share it."),
            "name": _text(200, "What people call the process."),
            "description": {"type": "string", "maxLength": 10_000, "description": "What it is for."},
            "process_type": _open(ProcessType, "The kind of process; other texts than these are accepted."),
            "priority": _choice(Priority, "How urgent its processes are, unless their start says otherwise."),
            "sla_minutes": _minutes("Target of the whole process, from its start, in minutes."),
            "estimated_minutes": _minutes("How long the whole process usually takes, in minutes."),
            "phases": _list_of({"$ref": "#/$defs/phase"}, "The phases, in order. Instead of steps."),
            "steps": _list_of({"$ref": "#/$defs/step"}, "The steps, in order. Instead of phases."),
        },
        "$defs": {
            "phase": {
                "type": "object",
                "description": "A named stretch of the process.",
                "required": ["name", "steps"],
                "additionalProperties": False,
                "properties": {
                    "name": _text(200, "What people call the phase; unique in the definition."),
                    "steps": _list_of({"$ref": "#/$defs/step"}, "The steps of the phase, in order."),
                },
            },
            "step": _step_schema(form),
        },
    }


def _step_schema(form: dict[str, Any]) -> dict[str, Any]:
    steps_before = "Steps, of any phase, that must be completed or skipped before this one can start."
    return {
        "type": "object",
        "description": "A piece of work that one person or service does; each process gets one task of it.",
        "required": ["id", "name"],
        "additionalProperties": False,
        "properties": {
            "id": _id("A-Za-z0-9", "Names the step; unique in the definition."),
            "name": _text(200, "What people call the step."),
            "type": _open(TaskType, "Who does it; other texts than these are accepted.", "manual"),
            "team": _text(100, "The team whose work it is."),
            "required_skills": {
                "type": "object",
                "description": "The skills it takes: name and least level, from 1 (beginner) to 5 (expert).",
                "propertyNames": {"minLength": 1, "maxLength": 100, "pattern": r"\S"},
                "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 5},
            },
            "assignment_method": _choice(AssignmentMethod, "How it finds its person.", "manual"),
            "priority": _choice(Priority, "How urgent it is; the process's own priority when left out."),
            "estimated_minutes": _minutes("How long it usually takes, in minutes."),
            "sla_minutes": _minutes("Target of the step, from the moment it can be started, in minutes."),
            "max_retries": {
                "type": "integer",
                "minimum": 0,
                "maximum": 1000,
                "default": 3,
                "description": "How often it may fail and be tried again before it has failed for good.",
            },
            "depends_on": _references(steps_before),
            "different_person_from": _references("Steps that must be done by somebody else than this one."),
            "form": {
                **form,
                "description": "What its output_data must look like: a JSON Schema that stands alone.",
            },
        },
    }


def _text(longest: int, description: str) -> dict[str, Any]:
    return {"type": "string", "maxLength": longest, "pattern": r"\S", "description": description}


def _id(characters: str, description: str) -> dict[str, Any]:
    pattern = f"^[{characters}][{characters}_.-]*$"
    return {"type": "string", "maxLength": 100, "pattern": pattern, "description": description}


def _minutes(description: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": 1, "maximum": MAX_MINUTES, "description": description}


def _choice(values: type[Meaning], description: str, default: str | None = None) -> dict[str, Any]:
    meanings = "; ".join(f"{value.value}: {value.meaning}" for value in values)
    schema: dict[str, Any] = {
        "enum": [value.value for value in values],
        "description": f"{description} {meanings}.",
    }
    return schema if default is None else {**schema, "default": default}


def _open(values: type[Meaning], description: str, default: str = "custom") -> dict[str, Any]:
    meanings = "; ".join(f"{value.value}: {value.meaning}" for value in values)
    examples = [value.value for value in values]
    return {**_text(100, f"{description} {meanings}."), "examples": examples, "default": default}


def _references(description: str) -> dict[str, Any]:
    items = {"type": "string", "maxLength": 100}
    return {"type": "array", "uniqueItems": True, "items": items, "description": description}


def _list_of(items: dict[str, Any], description: str) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": items, "description": description}


# Checking ---------------------------------------------------------------------------------------------


class _RawStep(NamedTuple):
    """A step of a document that is still being checked."""

    place: str
    content: dict[str, Any]

    @property
    def id(self) -> str | None:
        """Its id, if it is a text at all."""
        value = self.content.get("id")
        return value if isinstance(value, str) else None

    def references(self, key: str) -> Iterator[tuple[str, str]]:
        """The step ids listed under ``key``, each with its place."""
        listed = self.content.get(key)
        for index, value in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(value, str):
                yield at(at(self.place, key), index), value


@cache
def _structure() -> FormValidator:
    """The published schema without the schema of forms, which `form_problems` checks in better words."""
    return FormValidator(_schema({"type": "object"}))


def _problems(raw: Any) -> Iterator[Problem]:
    if not isinstance(raw, dict):
        yield Problem("", "a definition must be an object with id, name and phases or steps")
        return
    yield from validate_texts(raw, "")
    yield from _structure().problems(raw, "")
    steps = list(_raw_steps(raw))
    yield from _repeated_names(raw)
    yield from _reference_problems(steps)
    yield from _cycle_problems(steps)
    for step in steps:
        place = at(step.place, "form")
        # A form that cannot be stored may be endless; what is wrong with it has been said above.
        if "form" in step.content and not validate_texts(step.content["form"], place):
            yield from form_problems(step.content["form"], place)


def _raw_steps(raw: dict[str, Any]) -> Iterator[_RawStep]:
    groups = [("", raw)]
    if isinstance(raw.get("phases"), list):
        groups += [(at("phases", index), phase) for index, phase in enumerate(raw["phases"])]
    for place, group in groups:
        steps = group.get("steps") if isinstance(group, dict) else None
        for index, step in enumerate(steps if isinstance(steps, list) else ()):
            if isinstance(step, dict):
                yield _RawStep(at(at(place, "steps"), index), step)


def _repeated_names(raw: dict[str, Any]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    phases = raw.get("phases")
    for index, phase in enumerate(phases if isinstance(phases, list) else ()):
        name = phase.get("name") if isinstance(phase, dict) else None
        place = at("phases", index)
        if isinstance(name, str) and first.setdefault(name, place) != place:
            yield Problem(at(place, "name"), f"{shown(name)} is the name of {first[name]} already")


def _reference_problems(steps: list[_RawStep]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for step in steps:
        if step.id is not None and first.setdefault(step.id, step.place) != step.place:
            yield Problem(at(step.place, "id"), f"{shown(step.id)} is the id of {first[step.id]} already")
    for step in steps:
        for place, other in step.references("depends_on"):
            if other == step.id:
                yield Problem(place, "a step cannot depend on itself")
        for place, other in step.references("different_person_from"):
            if other == step.id:
                yield Problem(place, "a step cannot differ from itself")
        for key in ("depends_on", "different_person_from"):
            for place, other in step.references(key):
                if other not in first:
                    yield Problem(place, f"there is no step {shown(other)} in this definition")


def _cycle_problems(steps: list[_RawStep]) -> Iterator[Problem]:
    """One problem for each of the first cycles that share no step."""
    graph: dict[str, set[str]] = {step.id: set() for step in steps if step.id is not None}
    places: dict[tuple[str, str], str] = {}
    for step in steps:
        for place, other in step.references("depends_on"):
            if step.id is not None and other in graph and other != step.id:
                graph[step.id].add(other)
                places[step.id, other] = place
    order = {step_id: index for index, step_id in enumerate(graph)}
    for _ in range(MAX_CYCLES):
        try:
            TopologicalSorter(graph).prepare()
            return
        except CycleError as error:
            # The sorter lists the depended-on before the depending, and the first again as the last.
            cycle = error.args[1][:0:-1]
        start = cycle.index(min(cycle, key=order.__getitem__))
        cycle = cycle[start:] + cycle[:start]
        way = [*cycle, cycle[0]] if len(cycle) <= 20 else [*cycle[:19], "…", cycle[0]]
        yield Problem(places[cycle[-1], cycle[0]], f"the steps depend on each other: {' → '.join(way)}")
        gone = set(cycle)
        graph = {step_id: others - gone for step_id, others in graph.items() if step_id not in gone}


# Making -----------------------------------------------------------------------------------------------


def _plain(value: Any, depth: int = 0) -> Any:
    """``value`` as JSON values: typed objects without their defaults, mappings as dicts, tuples as lists."""
    if depth > MAX_DEPTH + 1:
        return value
    if is_dataclass(value) and not isinstance(value, type):
        given = ((item, getattr(value, item.name)) for item in fields(value))
        return {item.name: _plain(part, depth + 1) for item, part in given if part != _default(item)}
    if isinstance(value, Mapping):
        return {key: _plain(part, depth + 1) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, depth + 1) for part in value]
    return value


def _default(item: Any) -> Any:
    return item.default_factory() if item.default_factory is not MISSING else item.default


def _built(raw: dict[str, Any]) -> Template:
    """The typed objects of a document without problems."""
    phases = raw.get("phases") or [{"name": None, "steps": raw["steps"]}]
    return Template(
        **{key: value for key, value in _whole(raw).items() if key not in ("phases", "steps")},
        phases=tuple(
            Phase(phase["name"], tuple(_built_step(step) for step in phase["steps"])) for phase in phases
        ),
    )


def _built_step(raw: dict[str, Any]) -> Step:
    values = _whole(raw)
    for key in ("depends_on", "different_person_from"):
        values[key] = tuple(raw.get(key, ()))
    values["required_skills"] = {skill: int(level) for skill, level in raw.get("required_skills", {}).items()}
    return Step(**values)


def _whole(raw: dict[str, Any]) -> dict[str, Any]:
    """A copy in which 60.0 is 60: JSON Schema takes both for an integer, the engine wants one."""
    return {key: int(value) if isinstance(value, float) else value for key, value in raw.items()}
