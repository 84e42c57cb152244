"""A JSON value as a readable tree of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from jinja2 import Environment

MOST_LINES = 1_000
"""How many values of one tree are shown."""

STYLESHEET = """
:host { font-family: Roboto, "Helvetica Neue", Arial, sans-serif; color: inherit; }
ul { list-style: none; margin: 0; padding: 0; font-size: 14px; }
li { padding: 3px 0; overflow-wrap: anywhere; }
.name { opacity: .8; margin-right: 8px; }
.value { font-variant-numeric: tabular-nums; white-space: pre-wrap; }
.more { opacity: .8; font-style: italic; }
"""

_TEMPLATE = Environment(autoescape=True).from_string(
    """{% if lines %}<ul>{% for depth, name, value in lines %}<li style="padding-left: {{ depth * 20 }}px">
<span class="name">{{ name }}</span><span class="value">{{ value }}</span></li>{% endfor %}
{% if has_more %}<li class="more">… and more than these {{ lines|length }} values.</li>{% endif %}</ul>
{% else %}<p class="more">Nothing.</p>{% endif %}"""
)


def tree(value: Mapping[str, Any]) -> str:
    """HTML that shows what a JSON object holds, all of it escaped."""
    lines = list(islice(_lines(value, 0), MOST_LINES + 1))
    return _TEMPLATE.render(lines=lines[:MOST_LINES], has_more=len(lines) > MOST_LINES)


def _lines(value: Any, depth: int) -> Iterator[tuple[int, str, str]]:
    """The depth, name and text of what an object or list holds, in its order."""
    named = value.items() if isinstance(value, Mapping) else enumerate(value, start=1)
    for name, held in named:
        if isinstance(held, Mapping | list) and held:
            yield depth, str(name), ""
            yield from _lines(held, depth + 1)
        else:
            yield depth, str(name), _text(held)


def _text(value: Any) -> str:
    match value:
        case None | {} | []:
            return "—"
        case True:
            return "yes"
        case False:
            return "no"
    return str(value)
