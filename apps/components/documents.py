"""Pieces of the administration as HTML: a month, lists of problems, differences. All is escaped."""

from __future__ import annotations

from pathlib import Path

from jinja2 import DictLoader, Environment

DOCUMENT_CSS = Path(__file__).with_name("documents.css").read_text(encoding="utf-8")
"""What months, problems and differences look like."""

_TEMPLATES = {
    "month": """<div class="scroll" tabindex="0" role="region" aria-label="{{ title }}">
<table class="month"><caption>{{ title }}: {{ hours }} of working time, on the clock of {{ zone }}</caption>
<thead><tr>{% for day in weekdays %}<th scope="col">{{ day }}</th>{% endfor %}</tr></thead>
<tbody>{% for week in weeks %}<tr>{% for day in week %}
<td class="{{ '' if day.is_of_month else 'other' }} {{ 'open' if day.periods else 'closed' }}">
<time datetime="{{ day.date.isoformat() }}">{{ day.date.day }}</time>
{% for period in day.periods %}<span class="period">{{ period[0] }}–{{ period[1] }}</span>{% endfor %}
{% if day.off %}<span class="off">{{ day.off }}</span>{% endif %}</td>{% endfor %}</tr>{% endfor %}
</tbody></table></div>""",
    "problems": """{% if problems %}<div role="alert" class="problems"><strong>{{ title }}</strong><ul>
{% for problem in problems %}<li>{% if problem.place %}<code>{{ problem.place }}</code> {% endif
%}{{ problem.message }}</li>{% endfor %}</ul></div>{% endif %}""",
    "difference": """<pre class="difference" tabindex="0">{% for line in lines
%}<span class="{{ {'+': 'added', '-': 'removed', '@': 'place'}.get(line[:1], '') }}">{{ line }}
</span>{% else %}Nothing is different.{% endfor %}</pre>""",
    "link": """<a href="{{ href }}">{{ text }}</a>""",
    "text": """<pre tabindex="0">{{ text }}</pre>""",
}
_ENVIRONMENT = Environment(loader=DictLoader(_TEMPLATES), autoescape=True)


def drawn(template: str, **values: object) -> str:
    """HTML from one of the templates: month, problems, difference, text, link. Every value is escaped."""
    return _ENVIRONMENT.get_template(template).render(**values)
