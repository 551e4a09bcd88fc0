"""`tristream search`: triplets whose pictures are most like one."""

from pathlib import Path

import click

from infra.console import current_settings, plain_errors, say

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("triplets", nargs=-1, required=True, type=_FILE)
@click.option("--image", metavar="ID", help="An image_id or triplet_id of these triplets: what is most like that one?")
@click.option(
    "--picture", type=_FILE, help="A picture of your own. Encoders that it is looked at by: TRISTREAM_EXPERTS."
)
@click.option("--frame", default=0, show_default=True, help="Of the picture.")
@click.option("--encoder", metavar="NAME", help="Expert of kind 'embedding' to compare by. [default: any]")
@click.option("--by-hash", is_flag=True, help="Compare by perceptual hashes: copies, and not what shows the like.")
@click.option("--most", default=10, show_default=True, type=click.IntRange(1), help="Found at most.")
def search(
    triplets: tuple[Path, ...],
    image: str | None,
    picture: Path | None,
    frame: int,
    encoder: str | None,
    by_hash: bool,
    most: int,
) -> None:
    """Find the pictures in TRIPLETS that are most like one, a line of JSON each, the likest first."""
    import orjson

    from infra.search import CannotSearch, looks_of
    from infra.triplet_lines import lines_in
    from models.datasets.search import Looks, likest, shown_on

    if (image is None) == (picture is None) or (by_hash and encoder):
        raise click.UsageError("give --image ID or --picture FILE; and --encoder or --by-hash, or neither")
    with plain_errors():
        if picture is not None:
            settings = current_settings()
            asked = looks_of(picture, frame, None if by_hash else settings.experts, encoder, settings.limits)
        else:
            named = (one for one in shown_on(lines_in(triplets)) if image in (one.image_id, one.triplet_id))
            if (last := next(iter([*named][-1:]), None)) is None:
                raise CannotSearch(f"no triplet has the image_id or triplet_id {image!r}")
            asked = Looks.of(last)
        if by_hash:
            asked = Looks(hash=asked.hash, image_id=asked.image_id)
        elif encoder is not None:
            asked = asked.by(encoder)
            if not asked.vectors:
                raise CannotSearch(f"that image has no vector by {encoder}: leave --encoder out, or name another one")
        hits = likest(asked, shown_on(lines_in(triplets)), most)
        if not hits:
            raise CannotSearch(
                "nothing can be compared: "
                + ("no other triplet has a vector by " + ", ".join(asked.vectors) if asked.vectors else
                   "that image has neither vectors nor hash" if asked.hash is None else "no other triplet has a hash")
            )  # fmt: skip
    for hit in hits:
        one = hit.shown
        told = {
            "likeness": round(hit.likeness, 4), "by": hit.by, "triplet_id": one.triplet_id, "image_id": one.image_id,
            "object_id": one.object_id, "frame": one.frame, "modality": one.metadata.modality,
            "organ": one.metadata.organ, "description": one.description.description,
        }  # fmt: skip
        click.echo(orjson.dumps(told).decode())
    if not asked.vectors:
        say("compared by perceptual hashes, which find copies: what shows the like is found by vectors of an encoder")
