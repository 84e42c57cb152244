"""The colours of states, and the style that tables and cards share. White on each is readable (WCAG AA)."""

from __future__ import annotations

from pathlib import Path

COLOURS = {
    "blue": "#1565c0",
    "green": "#2e7d32",
    "red": "#c62828",
    "orange": "#b45309",
    "grey": "#5f6b7a",
    "dark-red": "#8b0000",
}

STATES = {
    "blue": ("running", "in_progress", "medium", "assigned"),
    "green": ("completed", "on_track", "met", "available", "succeeded", "in_force", "holds"),
    "red": ("failed", "breached", "overloaded", "error", "dead", "broken"),
    "orange": ("suspended", "at_risk", "high", "waiting", "busy", "warning", "away", "retrying", "behind"),
    "grey": ("pending", "cancelled", "skipped", "low", "ready", "info", "abandoned", "none"),
    "dark-red": ("critical",),
}
"""Which states have which colour: of processes and tasks, SLA, priority, load, jobs and events."""


def colour(state: str) -> str:
    """The colour of a state; grey for one that has none."""
    return next((COLOURS[name] for name, states in STATES.items() if state in states), COLOURS["grey"])


SHARED_CSS = Path(__file__).with_name("shared.css").read_text(encoding="utf-8") + "\n".join(
    f":is({', '.join(f'.badge.{state}, .dot.{state}, .bar .{state}' for state in states)})"
    f" {{ background: {COLOURS[name]}; }}"
    for name, states in STATES.items()
)
"""What tables, cards and the other components look like."""
