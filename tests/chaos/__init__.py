"""A pipeline under faults: what it loses, doubles, and says."""
