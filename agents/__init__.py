"""The verbs, one module a stage: take from a topic, ask the models, send on. Thin."""

ISOLATED = ("agents.reading", "models.imaging.source", "models.imaging.given.marking")
"""What the processes that read files for preprocess import before their first call."""
