"""Grafana: dashboards as code, and what provisions them. Knows metrics by their names alone."""
