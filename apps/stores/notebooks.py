"""What a table shows, as a cell of a notebook."""

from __future__ import annotations


def notebook_cell(rows: str) -> str:
    """A cell that makes a frame of what an expression over ``wb`` gives: rows of one kind."""
    return (
        "import gndp\nimport pandas as pd\n\nwb = gndp.connect()\n"
        f"pd.DataFrame(row._asdict() for row in {rows})"
    )
