"""Triplets as a table for the terminal."""

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from schemas.triplets import Triplet


def triplet_table(triplets: Iterable[Triplet]) -> Table:
    """One row a triplet: what it shows, how many regions, and what its description says of them."""
    table = Table(title="Triplets", title_justify="left", show_lines=False)
    table.add_column("modality", no_wrap=True)
    table.add_column("organ", no_wrap=True)
    for name in ("frame", "regions"):
        table.add_column(name, justify="right", no_wrap=True)
    # The one column that gives way to a narrow terminal: its texts are wrapped, for they are what is to be seen.
    table.add_column("description")
    for triplet in triplets:
        regions = [region for region in triplet.regions if region.kind != "whole image"]
        table.add_row(
            triplet.metadata.modality,
            triplet.metadata.organ or "",
            str(triplet.frame) if triplet.metadata.frames_in_object > 1 else "",
            str(len(regions)),
            Text(triplet.description.description),
        )
    return table
