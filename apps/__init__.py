"""The workbench in the browser: stores (derived data) → pages (views) → shell. It decides nothing."""
