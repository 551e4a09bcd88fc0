"""Prometheus: what it scrapes, its alerts, and one on this machine. Knows nothing of how the metrics come about."""
