"""Makes the experts' .onnx files, manifests and cards from torch modules.

Runs in an environment of its own (requirements/export.lock); the pipeline never imports it and knows nothing of torch.
"""
