"""Pieces that pages share: figures, badges, relative times, tables. All text is escaped by the templates."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import panel as pn
from jinja2 import DictLoader, Environment
from markupsafe import escape

STATUS_COLOURS = {
    "pending": "#5f6b7a",
    "running": "#1565c0",
    "suspended": "#b45309",
    "completed": "#2e7d32",
    "failed": "#c62828",
    "cancelled": "#5f6b7a",
}
SLA_COLOURS = {"on_track": "#2e7d32", "met": "#2e7d32", "at_risk": "#b45309", "breached": "#c62828"}
PRIORITY_COLOURS = {"critical": "#8b0000", "high": "#b45309", "medium": "#1565c0", "low": "#5f6b7a"}

STYLESHEET = """
:host { max-height: none; font-family: Roboto, "Helvetica Neue", Arial, sans-serif; color: inherit; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 16px; }
.figure { border: 1px solid rgba(128,128,128,.28); border-radius: 10px; padding: 16px 20px; }
.figure .name { font-size: 13px; opacity: .78; }
.figure .value { font-size: 32px; font-weight: 600; line-height: 1.25; font-variant-numeric: tabular-nums; }
.figure .note { font-size: 12px; opacity: .78; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; font-weight: 600; font-size: 12px; opacity: .8; padding: 8px 12px; white-space: nowrap;
     border-bottom: 1px solid rgba(128,128,128,.4); }
td { padding: 9px 12px; border-bottom: 1px solid rgba(128,128,128,.18); vertical-align: middle; }
tbody tr:hover { background: rgba(128,128,128,.08); }
.name-cell { max-width: min(340px, 60vw); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.kind { font-size: 12px; opacity: .75; }
.badge { display: inline-block; padding: 2px 10px; border-radius: 999px; color: #fff; font-size: 12px;
         font-weight: 500; white-space: nowrap; }
.dot { display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 7px;
       box-shadow: 0 0 0 1px rgba(160,160,160,.45); }
.bar { display: inline-block; width: 90px; height: 7px; border-radius: 4px; background: rgba(128,128,128,.28);
       vertical-align: middle; margin-right: 8px; overflow: hidden; }
.bar span { display: block; height: 100%; background: #1565c0; }
.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
a { color: inherit; }
a:focus-visible { outline: 2px solid #4791db; outline-offset: 2px; }
.empty { padding: 40px; text-align: center; opacity: .8; }
"""

_TEMPLATES = {
    "figures": """<div class="figures">{% for f in figures %}<div class="figure">
<div class="name">{{ f.name }}</div>
<div class="value">{{ f.value }}</div><div class="note">{{ f.note }}</div></div>{% endfor %}</div>""",
    "verdict": """<p class="verdict" role="status">{{ text }}</p>""",
    "outcomes": """<ul class="outcomes">{% for outcome in outcomes %}<li><strong>{{ outcome.name }}</strong>:
{{ outcome.problem or "done" }}</li>{% endfor %}</ul>""",
    "link": """<a href="{{ href }}">{{ text }}</a>""",
    "processes": """{% if not rows %}
<div class="empty">No process {{ "is " ~ status if status else "yet" }}.</div>
{% else %}<div class="scroll"><table><thead><tr>{% for title in
("Process", "Status", "Progress", "SLA", "Priority", "Assigned to", "Created") %}
<th scope="col">{{ title }}</th>{% endfor %}</tr></thead><tbody>{% for p in rows %}<tr>
<td><div class="name-cell" title="{{ p.process_name }}">{{ p.process_name }}</div>
<div class="kind">{{ p.process_type }}</div></td>
<td><span class="badge" style="background: {{ status_colours[p.status] }}">{{ p.status }}</span></td>
<td class="number"><span class="bar"><span style="width: {{ p.progress_percentage }}%"></span></span
>{{ "%.0f"|format(p.progress_percentage) }} %</td>
<td class="number"><span class="dot" style="background: {{ sla_colours[p.sla_status] }}"></span
>{{ p.sla_status|replace("_", " ") }}</td>
<td class="number"><span class="dot" style="background: {{ priority_colours[p.priority] }}"></span
>{{ p.priority }}</td>
<td>{{ p.assigned_to or "—" }}</td>
<td class="number" title="{{ p.created_at.isoformat(timespec='seconds') }}">{{ ago(p.created_at) }}</td>
</tr>{% endfor %}</tbody></table></div>{% endif %}""",
}
_ENVIRONMENT = Environment(loader=DictLoader(_TEMPLATES), autoescape=True)


def render(template: str, **values: object) -> str:
    """HTML from one of the templates; every value is escaped."""
    return _ENVIRONMENT.get_template(template).render(
        status_colours=STATUS_COLOURS, sla_colours=SLA_COLOURS, priority_colours=PRIORITY_COLOURS, **values
    )


def ago(instant: datetime, now: datetime) -> str:
    """How long ago an instant was, in the largest whole unit: ``5m ago``."""
    seconds = (now - instant).total_seconds()
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{int(seconds // length)}{unit} ago"
    return "just now"


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
