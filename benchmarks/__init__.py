"""Benchmarks: each runs a floor or a peer beside ours in one run and reports ratios."""
