"""Pieces of HTML that pages share: figures, headings, links. All text is escaped by the templates."""

from __future__ import annotations

from typing import Any

import panel as pn
from jinja2 import DictLoader, Environment
from markupsafe import escape

STYLESHEET = """
:host { max-height: none; font-family: Roboto, "Helvetica Neue", Arial, sans-serif; color: inherit; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 16px; }
.figure { border: 1px solid rgba(128,128,128,.28); border-radius: 10px; padding: 16px 20px; }
.figure .name { font-size: 13px; opacity: .78; }
.figure .value { font-size: 32px; font-weight: 600; line-height: 1.25; font-variant-numeric: tabular-nums; }
.figure .note { font-size: 12px; opacity: .78; }
a { color: inherit; }
a:focus-visible { outline: 2px solid #4791db; outline-offset: 2px; }
"""

_TEMPLATES = {
    "figures": """<div class="figures">{% for f in figures %}<div class="figure">
<div class="name">{{ f.name }}</div>
<div class="value">{{ f.value }}</div><div class="note">{{ f.note }}</div></div>{% endfor %}</div>""",
    "verdict": """<p class="verdict" role="status">{{ text }}</p>""",
    "outcomes": """<ul class="outcomes">{% for outcome in outcomes %}<li><strong>{{ outcome.name }}</strong>:
{{ outcome.problem or "done" }}</li>{% endfor %}</ul>""",
    "link": """<a href="{{ href }}">{{ text }}</a>""",
}
_ENVIRONMENT = Environment(loader=DictLoader(_TEMPLATES), autoescape=True)


def render(template: str, **values: object) -> str:
    """HTML from one of the templates; every value is escaped."""
    return _ENVIRONMENT.get_template(template).render(**values)


def duration(minutes: float | None) -> str:
    """A duration in the unit that people would use: ``35 min``, ``6.5 h``, ``3.2 days``."""
    if minutes is None:
        return "—"
    if minutes < 90:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h" if minutes < 48 * 60 else f"{minutes / 1440:.1f} days"


def heading(text: str, level: int = 1) -> pn.pane.HTML:
    """A heading of a page (level 1) or of a part of one."""
    sizes = {1: 24, 2: 18, 3: 15}
    return pn.pane.HTML(
        f"<h{level} class='heading'>{escape(text)}</h{level}>",
        stylesheets=[
            ":host { font-family: Roboto, 'Helvetica Neue', Arial, sans-serif; color: inherit; }"
            f".heading {{ margin: {16 if level > 1 else 4}px 0 4px; font-weight: 500;"
            f" font-size: {sizes[level]}px; }}"
        ],
        sizing_mode="stretch_width",
    )


def in_line(*parts: Any) -> Any:
    """Parts beside each other, and below each other where there is no room.

    A ``pn.Row`` would be as wide as all of them together, and the page with it.
    """
    return pn.Column(
        *parts,
        styles={"flex-direction": "row", "flex-wrap": "wrap"},
        stylesheets=[".scroll-button { display: none; }"],  # a part too many
        sizing_mode="stretch_width",
    )
