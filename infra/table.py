"""Triplets as a table for the terminal."""

from collections.abc import Iterable

from rich.table import Table

from schemas.triplets import Triplet


def triplet_table(triplets: Iterable[Triplet]) -> Table:
    """One row a triplet: what it shows, how large it is, how many regions, and what its description says of them."""
    table = Table(title="Triplets", title_justify="left", show_lines=False)
    table.add_column("modality", no_wrap=True, min_width=10)
    table.add_column("organ", no_wrap=True, min_width=10)
    table.add_column("frame", justify="right", min_width=5)
    table.add_column("px", justify="right", no_wrap=True, min_width=11)
    table.add_column("regions", justify="right", min_width=7)
    table.add_column("description", no_wrap=True, overflow="ellipsis", min_width=20)
    for triplet in triplets:
        regions = [region for region in triplet.regions if region.kind != "whole image"]
        table.add_row(
            triplet.metadata.modality,
            triplet.metadata.organ or "",
            str(triplet.frame) if triplet.metadata.frames_in_object > 1 else "",
            f"{triplet.image.columns} × {triplet.image.rows}",
            str(len(regions)),
            triplet.description.regions[0].text,
        )
    return table
