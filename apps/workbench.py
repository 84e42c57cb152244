"""The shell: which page a URL shows, inside the common frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from .pages.overview import overview

if TYPE_CHECKING:
    from gndp.workbench import Workbench

TITLE = "GNDP operations workbench"


def pages(workbench: Workbench) -> dict[str, Callable[[], Any]]:
    """The pages by path; each builds itself for a browser session."""
    pn.config.nthreads = 4
    return {"/": lambda: _framed(workbench, overview)}


def _framed(workbench: Workbench, page: Callable[[Workbench], Any]) -> Any:
    return pmui.Page(title=TITLE, main=[page(workbench)], theme_toggle=True)
