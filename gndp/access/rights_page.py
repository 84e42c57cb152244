"""The page that says who may do what, drawn from the policy table."""

from __future__ import annotations

from gndp.access.policy import POLICY, Reach
from gndp.core.states import Role

_INTRODUCTION = """# Who may do what

Drawn from `gndp/access/policy.py` by `gndp rights`; the engine goes by the same table. Every command and read
asks it, whoever calls: API, workbench, or a program through `wb.acting_as(principal)`. What is not in it,
nobody may. A command asks in its own transaction, about the item as it is then.

Who comes with an API token has only the rights of the rows whose scope it has; whoever comes otherwise has
all. Who acts for somebody else is kept in the event, as `given_by`.
"""


def rights_page() -> str:
    """The page, as Markdown."""
    roles = "\n".join(f"| `{role}` | {role.meaning} |" for role in Role)
    reaches = "\n".join(f"| {reach} | {reach.meaning} |" for reach in Reach)
    head = " | ".join(role.value for role in Role)
    rows = "\n".join(
        f"| `{name}` | {permission.meaning} | {permission.scope} | "
        + " | ".join("–" if reach == Reach.NONE else str(reach) for reach in _reaches(name))
        + " |"
        for name, permission in POLICY.items()
    )
    return (
        f"{_INTRODUCTION}\n## Roles\n\n| role | what it is |\n|---|---|\n{roles}\n\n"
        f"## How far a right reaches\n\n| reach | over what |\n|---|---|\n{reaches}\n\n"
        f"## Rights\n\n| right | to | scope | {head} |\n|---|---|---|{'---|' * len(Role)}\n{rows}\n"
    )


def _reaches(action: str) -> list[Reach]:
    return [getattr(POLICY[action], role.value) for role in Role]
