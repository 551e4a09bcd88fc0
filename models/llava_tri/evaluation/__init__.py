"""What a model answers about images, scored so that it cannot be flattered: benchmarks, scores, controls, audit.

Knows nothing of how the model was trained, or of what serves it.
"""
