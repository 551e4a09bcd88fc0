"""What a data set is worth to small networks that learn from it: classes and masks, on its test split, with controls.

Runs in an environment with torch: see docs/llava-tri.md.
"""
