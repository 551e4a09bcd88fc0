"""`tristream source`: public collections made into inputs."""

import sys
from collections import Counter
from difflib import get_close_matches
from pathlib import Path

import click
import orjson

from infra.console import need_data, plain_errors, say


@click.command()
@click.argument("kind")
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for links, sidecars and masks.")
@click.option(
    "--inbox",
    metavar="DIR",
    help="A folder that is watched, instead of --out: images go into a folder KIND below it, one after the other.",
)
@click.option(
    "--licences",
    metavar="WHICH",
    multiple=True,
    help="permissive, research, or a licence as the table names it; another one's collection is refused.",
)
@click.option(
    "--declared",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A TOML table of collections of your own, beside those that are known: docs/sources.md.",
)
@click.option("--limit", type=click.IntRange(1), help="Images at most.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def source(
    kind: str,
    path: Path | None,
    out: Path | None,
    inbox: str | None,
    licences: tuple[str, ...],
    declared: Path | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """Make inputs of the collection KIND as it lies in PATH: `tristream source list` names those that are known.

    Each image is linked into --out with a sidecar of what the collection says of it: modality, organ, disease, masks,
    boxes, patient, split, licence. What is there already is passed by: a run that broke off can be run again. Then:

        tristream annotate OUT --triplets triplets.jsonl

    With --inbox DIR a running `tristream up --inbox DIR` takes them as they come.
    """
    need_data("PIL", "h5py", "pyarrow")
    from models.datasets.licences import Licences
    from models.datasets.sources import collections, place

    with plain_errors():
        known = {**collections(), **(collections(declared) if declared else {})}
    if kind == "list":
        for one in known.values():
            click.echo(f"{one.name:<22}{one.modality or '-':<20}{one.permits:<12}{one.title}: {one.access}")
        return
    if kind not in known:
        meant = [name for name in known if kind.lower() in name] or get_close_matches(kind.lower(), known)
        raise click.UsageError(
            f"no collection {kind!r}: "
            + (f"did you mean {' or '.join(meant)}? " if meant else "")
            + "'tristream source list' names those that are known"
        )
    if path is None or (out is None) == (inbox is None):
        raise click.UsageError("give the folder of the collection, and --out or --inbox for what is made of it")
    out = out or _below(inbox or "", kind)
    if out.resolve() == path.resolve() or path.resolve() in out.resolve().parents:
        raise click.UsageError("--out or --inbox must lie outside the collection's own folder")
    collection = known[kind]
    permitted = Licences(licences)
    # Of DICOM a manifest may tell each series' own licence.
    if collection.adapter != "dicom" and not permitted.permit(collection.licence, collection.permits):
        raise click.ClickException(
            f"{collection.title} permits {collection.permits} use ({collection.licence}), which is not among --licences"
        )
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    without: Counter[str] = Counter()
    with plain_errors():
        for one in place(path, collection, out, permitted):
            if one.reason:
                reasons[one.reason] += 1
            else:
                counts["new" if one.new else "there already"] += 1
                without.update(one.without)
            if limit is not None and sum(counts.values()) >= limit:
                break
    if as_json:
        told = {"images": dict(counts), "left_out": dict(reasons), "without": dict(without)}
        sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
        return
    say(f"{collection.title}: {', '.join(f'{n} {name}' for name, n in counts.items()) or 'no images'}")
    for what, n in without.most_common():
        say(f"taken, without {n:>7}: {what}")
    for reason, n in reasons.most_common():
        say(f"left out {n:>7}: {reason}")


def _below(inbox: str, kind: str) -> Path:
    """Where a collection lies in a watched folder."""
    from streams.buckets import folder_of

    folder = folder_of(inbox)
    if folder is None:
        raise click.UsageError(
            "an object store is no folder: make --out, and copy there masks first, then sidecars, then images"
        )
    return folder / kind
