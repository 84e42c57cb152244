"""The engine: commands on processes and tasks. The only writer of their state."""
