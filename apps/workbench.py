"""The shell: which page a URL shows, inside the common frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from .pages.overview import overview
from .sessions import begin_anywhere

if TYPE_CHECKING:
    from gndp.workbench import Workbench

__all__ = ["TITLE", "begin_anywhere", "pages"]

TITLE = "GNDP operations workbench"


def pages(workbench_of: Callable[[Mapping[str, str]], Workbench]) -> dict[str, Callable[[], Any]]:
    """The pages by path; each builds itself for a browser session, whose cookies say whose it is."""
    pn.config.nthreads = 4
    return {"/": lambda: _framed(workbench_of(pn.state.cookies), overview)}


def _framed(workbench: Workbench, page: Callable[[Workbench], Any]) -> Any:
    return pmui.Page(title=TITLE, main=[page(workbench)], theme_toggle=True)
