"""What SGLang loads of this package in each of its processes, before it reads a model: an entry point names it.

With it Transformers knows the tiny preset's tower there, and `--model-impl transformers` serves its models.
"""


def register() -> None:
    """Make the tower's configuration and class known to Transformers."""
    import models.llava_tri.tiny.tower  # noqa: F401  # pyright: ignore[reportUnusedImport]
