"""``docs/states.md``, drawn from the enumerations and transition tables of ``gndp.core.states``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gndp.core import states
from gndp.core.states import Meaning, Transition

_DRAWN: tuple[tuple[type[Meaning], tuple[Transition, ...], Iterable[Meaning]], ...] = (
    (states.ProcessStatus, states.PROCESS_TRANSITIONS, states.FINAL_PROCESS_STATUSES),
    (states.TaskStatus, states.TASK_TRANSITIONS, states.FINAL_TASK_STATUSES),
)

_INTRODUCTION = """\
# States

What every status means, and which may follow which. `gndp states` draws this page from
`gndp/core/states.py`, the tables that the engine itself decides by: change those, then run `make docs`.
"""


def states_page() -> str:
    """The whole page as Markdown, with a Mermaid diagram for processes and one for tasks."""
    drawn = [kind for kind, _, _ in _DRAWN]
    parts = [_INTRODUCTION]
    for kind, transitions, final in _DRAWN:
        parts += [_meanings(kind), _diagram(transitions, final), _table(transitions)]
    others = [kind for kind in Meaning.__subclasses__() if kind.__module__ == Meaning.__module__]
    parts += [_meanings(kind) for kind in others if kind not in drawn]
    return "\n".join(parts)


def _meanings(kind: type[Meaning]) -> str:
    words = re.sub(r"(?<!^)([A-Z])", lambda match: " " + match[1].lower(), kind.__name__)
    rows = "\n".join(f"| `{member}` | {member.meaning} |" for member in kind)
    return f"## {words.replace('Sla', 'SLA')}\n\n{kind.__doc__}\n\n| value | meaning |\n|---|---|\n{rows}\n"


def _diagram(transitions: tuple[Transition, ...], final: Iterable[Meaning]) -> str:
    arrows: dict[tuple[str, str], list[str]] = {}
    for transition in transitions:
        commands = arrows.setdefault((transition.from_ or "[*]", transition.to), [])
        if transition.command not in commands:
            commands.append(transition.command)
    lines = [f"    {start} --> {end}: {', '.join(commands)}" for (start, end), commands in arrows.items()]
    lines += [f"    {status} --> [*]" for status in sorted(final)]
    return "```mermaid\nstateDiagram-v2\n" + "\n".join(lines) + "\n```\n"


def _table(transitions: tuple[Transition, ...]) -> str:
    rows = "\n".join(
        f"| {t.command} | {f'`{t.from_}`' if t.from_ else '–'} | `{t.to}` | {t.note} |" for t in transitions
    )
    return f"| command | from | to | when |\n|---|---|---|---|\n{rows}\n"
