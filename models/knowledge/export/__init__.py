"""Makes the folder that models/knowledge/biomedical.py reads from a query and an article tower in torch.

Runs in an environment of its own (requirements/export.lock); the pipeline never imports it and knows nothing of torch.
"""
