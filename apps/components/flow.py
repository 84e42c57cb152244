"""The graph of steps or tasks, drawn by React Flow; nothing in it can be changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from panel_reactflow import ReactFlow

from .colours import COLOURS
from .slices import changed

_STEP, _LINE = 186, 98
_WIDTH, _LOWEST, _HIGHEST = 940, 170, 460
"""The pixels that a graph has: about so many across, and from so many to so many in height."""

_WORDS = {"in_progress": "in progress", "hidden": "not to be seen", "blocked": "waits for others"}
_STYLES = Path(__file__).with_name("flow.css").read_text(encoding="utf-8") + "".join(
    f".react-flow__node.{state} {{ --state: {COLOURS[name]}; }}"
    for name, states in {
        "green": ("completed",),
        "blue": ("in_progress", "assigned", "ready"),
        "orange": ("waiting",),
        "red": ("failed",),
        "grey": ("blocked", "skipped", "cancelled", "hidden"),
    }.items()
    for state in states
)


class Flow:
    """Nodes and the arrows between them, from left to right: so many layers, each of up to so many lines."""

    def __init__(self, layers: int, lines: float) -> None:
        # Not a class of its own kind: the bundle finds what it draws by the class's name.
        zoom = min(1.0, _WIDTH / (_STEP * max(layers, 1)))
        height = min(_HIGHEST, max(_LOWEST, int((lines + 1) * _LINE * zoom)))
        self.panel = ReactFlow(
            editable=False,
            enable_connect=False,
            enable_delete=False,
            enable_multiselect=False,
            # Editors are of no use here, and each would cost the server a form.
            editor_mode="side",
            default_node_editor=_no_editor,
            default_edge_editor=_no_editor,
            popup_trigger="none",
            min_zoom=0.2,
            max_zoom=1.5,
            height=height,
            margin=(5, 10),
            sizing_mode="stretch_width",
            stylesheets=[_STYLES],
        )

    def show(self, nodes: Iterable[Mapping[str, Any]], edges: Iterable[tuple[str, str, bool]]) -> None:
        """Show nodes (id, name, state, assigned_to, layer, row) and edges (source, target, whether taken)."""
        self.panel.param.update(
            changed(
                self.panel, nodes=[_node(**node) for node in nodes], edges=[_edge(*edge) for edge in edges]
            )
        )


def _no_editor(*_: Any, **__: Any) -> None:
    return None


def _node(id: str, name: str, state: str, assigned_to: str | None, layer: int, row: float) -> dict[str, Any]:
    said = _WORDS.get(state, state)
    return {
        "id": id,
        "position": {"x": layer * _STEP, "y": row * _LINE},
        "label": f"{name}\n{said} · {assigned_to}" if assigned_to else f"{name}\n{said}",
        "className": state,
        "data": {},
        "selected": False,
    }


def _edge(source: str, target: str, is_taken: bool) -> dict[str, Any]:
    return {
        "id": f"{source} {target}",
        "source": source,
        "target": target,
        "data": {},
        "type": "smoothstep",
        "selected": False,
        "style": {"stroke": COLOURS["green"], "strokeWidth": 3} if is_taken else {"stroke": "#8a94a3"},
        "markerEnd": {"type": "arrowclosed", "color": COLOURS["green"] if is_taken else "#8a94a3"},
    }
