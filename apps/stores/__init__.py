"""Stores: what pages show, derived from the workbench. No user interface, no SQL."""
