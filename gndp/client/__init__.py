"""The workbench of a server elsewhere: the verbs of ``gndp.connect()`` over the REST API, for scripts.

::

    from gndp.client import Client

    with Client("https://work.example.org", token) as wb:
        for mine in wb.tasks.mine("ann"):
            print(mine.task_name, mine.due_date)

It loads neither the engine nor the server, and knows of GNDP only `gndp.core`.
"""

from gndp.client.bulk import BulkResult, BulkResults
from gndp.client.client import Client
from gndp.client.live import LiveStream

__all__ = ["BulkResult", "BulkResults", "Client", "LiveStream"]
