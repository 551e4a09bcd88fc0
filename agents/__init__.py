"""The verbs, one module a stage: take from a topic, ask the models, send on. Thin."""
