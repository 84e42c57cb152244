"""Reactions to what was committed: the bus, durable subscriptions and live streams, over one event log."""
