"""Training in three stages: align, multigranular, task. Runs in an environment with torch: see docs/llava-tri.md."""
