"""Telling the positions of the event log anew, after the database was restored into another cluster.

Transaction numbers mean something in one cluster only. Every event gets the number of the transaction that
rebases, and each subscription its place in that one window, so none loses an event; some are given again.
"""

from __future__ import annotations

from gndp.core.positions import Snapshot
from gndp.engine.transition import Transitions
from gndp.store.queries import statement


def rebase(transitions: Transitions) -> bool:
    """Tell the log's positions anew; False when they are of this cluster already, and nothing is changed."""
    with transitions.database.transaction() as transaction:
        transaction.run(statement("event_log", "lock"))
        ((same,),), ((xid, snapshot),) = transaction.run(
            statement("event_log", "is_of_this_cluster"), statement("event_log", "this_transaction")
        )
        if same:
            return False
        transaction.run(statement("event_log", "keep_unread", read_to=with_transaction(snapshot, xid)))
        transaction.run(statement("event_log", "allow_rewriting"))
        transaction.run(statement("event_log", "renumber"))
        transaction.run(statement("event_log", "refuse_rewriting"))
        transaction.run(statement("event_log", "forget_sweeps"), statement("event_log", "adopt"), commit=True)
    return True


def with_transaction(snapshot: str, xid: int) -> str:
    """The snapshot that shows one transaction more, which was not over in it."""
    known = Snapshot.parse(snapshot)
    running = (known.running | set(range(known.end, xid))) - {xid}
    end = max(known.end, xid + 1)
    return f"{min(running, default=end)}:{end}:{','.join(map(str, sorted(running)))}"
