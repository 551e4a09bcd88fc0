"""`tristream knowledge`: build, add to and search a base of passages."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click
import orjson

from agents.settings import Settings
from infra.console import current_settings, plain_errors, say
from schemas.images import Modality
from schemas.knowledge import Passage

if TYPE_CHECKING:
    from infra.knowledge import Gathered


@click.group()
def knowledge() -> None:
    """Build and search the passages that describe what is seen."""


WEAVIATE = click.option(
    "--weaviate", metavar="URL", help="The Weaviate to use. [default: $TRISTREAM_WEAVIATE_URL; else a file]"
)
INDEX = click.option(
    "--index",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to use. [default: $TRISTREAM_KNOWLEDGE or own.npz in the state folder]",
)
SOURCES = click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
REJECTED = click.option(
    "--rejected", type=click.Path(dir_okay=False, path_type=Path), help="JSON Lines to write: records without passages."
)
KEEP = click.option(
    "--keep", default=1, show_default=True, type=click.IntRange(0), help="Earlier snapshots to keep in Weaviate."
)


@knowledge.command("build")
@SOURCES
@click.option("--name", default="own", show_default=True, help="Of the base; its snapshots are NAME@digest.")
@WEAVIATE
@INDEX
@KEEP
@REJECTED
def knowledge_build(
    sources: tuple[Path, ...], name: str, weaviate: str | None, index: Path | None, keep: int, rejected: Path | None
) -> None:
    """Make a base of files and folders, in place of the one before.

    Read are .jsonl, .md, .txt, PubMed .xml and .xml.gz, and Bookshelf .nxml.

    Workers go over to it by themselves where it is in Weaviate; where it is a file, start them anew.
    """
    from infra.knowledge import gather
    from infra.progress import Counting

    settings = _with_knowledge(weaviate, index)
    if not re.fullmatch(r"[A-Za-z0-9._-]+", name):
        raise click.UsageError("--name must be of letters, digits, '.', '_' and '-'")
    with plain_errors():
        with Counting("files") as progress:
            gathered = gather(sources, progress.update)
        _index(settings, name, gathered, gathered.in_order, keep, rejected)


@knowledge.command("add")
@SOURCES
@WEAVIATE
@INDEX
@KEEP
@REJECTED
def knowledge_add(
    sources: tuple[Path, ...], weaviate: str | None, index: Path | None, keep: int, rejected: Path | None
) -> None:
    """Add passages to the base, in place of those of the same id. A new snapshot, as `build` makes one."""
    from infra.knowledge import current, gather
    from infra.progress import Counting

    settings = _with_knowledge(weaviate, index)
    with plain_errors():
        name, before = current(settings)
        with Counting("files") as progress:
            gathered = gather(sources, progress.update)
        merged = {passage.passage_id: passage for passage in (*before, *gathered.in_order)}
        _index(settings, name, gathered, [merged[key] for key in sorted(merged)], keep, rejected)


@knowledge.command("search")
@click.argument("text")
@click.option("--modality", type=click.Choice(get_args(Modality)), help="Only passages that fit it.")
@click.option("--organ", help="Only passages that fit it, if there are any.")
@click.option("--disease", help="Only passages that fit it, if there are any.")
@click.option("--limit", default=5, show_default=True, type=click.IntRange(1))
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines.")
@WEAVIATE
@INDEX
def knowledge_search(
    text: str,
    modality: Modality | None,
    organ: str | None,
    disease: str | None,
    limit: int,
    as_json: bool,
    weaviate: str | None,
    index: Path | None,
) -> None:
    """Search what `build` made; the starter corpus where nothing was built."""
    from infra.knowledge import searched
    from models.knowledge import Query

    with plain_errors():
        base = searched(_with_knowledge(weaviate, index))
        for found in base.search(Query(text, modality, organ, disease, limit)):
            if as_json:
                click.echo(orjson.dumps(found.model_dump(mode="json")).decode())
            else:
                click.echo(
                    f"{found.score:.4f}  {found.passage_id}\n  {found.title}\n  {found.text}\n  {found.reference}"
                )
        say(f"snapshot {base.snapshot}")


def _with_knowledge(weaviate: str | None, index: Path | None) -> Settings:
    if weaviate and index:
        raise click.UsageError("--weaviate and --index exclude each other")
    settings = current_settings(weaviate=weaviate)
    return settings.model_copy(update={"weaviate": None, "knowledge": index.absolute()}) if index else settings


def _index(
    settings: Settings,
    name: str,
    gathered: "Gathered",
    passages: Sequence[Passage],
    keep: int,
    rejected: Path | None,
) -> None:
    from infra.knowledge import build, index_of
    from infra.progress import Counting

    for reason, count, places in gathered.reasons():
        say(f"{count} × {reason}: {places}")
    if rejected is not None:
        gathered.write_rejected(rejected)
    with Counting("passages") as progress:
        snapshot = build(settings, name, passages, keep=keep, tell=progress.update)
    click.echo(
        f"{gathered.files} files: {len(gathered.passages)} passages, {len(gathered.rejected)} records without one; "
        f"{snapshot} holds {len(passages)} passages"
    )
    if settings.weaviate is None and settings.knowledge != index_of(settings):
        say(f"to use it: export TRISTREAM_KNOWLEDGE={index_of(settings)}")
