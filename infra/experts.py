"""The work behind `tristream experts`: list, show, check, and add to a folder of one's own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from models.experts.checking import check
from models.experts.external import NoExternalData, external_files
from models.experts.manifest import Manifest, parse, read
from models.experts.packaged import LIBRARY
from models.experts.promises import Promise
from schemas.failures import TristreamError


class NoExperts(TristreamError):
    """TRISTREAM_EXPERTS names no folder to add to."""

    def __init__(self) -> None:
        super().__init__("set TRISTREAM_EXPERTS to the folder that your own experts shall be in")


class NoSuchExpert(TristreamError):
    """A name that no expert has."""

    def __init__(self, known: Iterator[str]) -> None:
        super().__init__(f"there is no such expert; there are {', '.join(known)}")


class PromisesBroken(TristreamError):
    """An expert that was to be added does not keep its manifest's promises."""

    def __init__(self, count: int) -> None:
        super().__init__(f"nothing was added: {count} {'promise is' if count == 1 else 'promises are'} broken")


class DataTaken(TristreamError):
    """Another expert's external data is of the same name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"nothing was added: {name!r} in that folder is another expert's external data; export this one again with "
            "its data under a name of its own"
        )


def manifests(own: Path | None) -> dict[str, tuple[Path, Manifest]]:
    """Every expert that a worker would load, by name. Raises BrokenExpert."""
    paths = {path.stem: path for folder in (LIBRARY, own) if folder for path in sorted(folder.glob("*.toml"))}
    return {name: (paths[name], read(paths[name])[0]) for name in sorted(paths)}


def rows(own: Path | None) -> Iterator[tuple[str, ...]]:
    """One row an expert: name@version, kind, modalities, organs, labels, whose."""
    for path, manifest in manifests(own).values():
        kind = manifest.decoding.kind if manifest.decoding else "maps"
        labels = dict.fromkeys(output.label for output in manifest.outputs) or [label.name for label in manifest.labels]
        whose = "packaged" if path.parent == LIBRARY else "own"
        organs = ", ".join(manifest.organs) or "any"
        yield manifest.expert, kind, ", ".join(manifest.modalities), organs, ", ".join(labels), whose


def shown(name: str, own: Path | None) -> str:
    """The card of an expert where there is one, or else its manifest."""
    found = manifests(own)
    if name not in found:
        raise NoSuchExpert(iter(found))
    path, _ = found[name]
    card = path.with_suffix(".md")
    return (card if card.is_file() else path).read_text(encoding="utf-8")


def add(manifest: Path, own: Path | None) -> Iterator[Promise]:
    """Check an expert, and copy its manifest and files into the folder if it keeps all that it promises.

    Raises:
        NoExperts: there is no folder to add to.
        PromisesBroken: they were told of before.
        DataTaken: another expert's external data would be overwritten.
    """
    if own is None:
        raise NoExperts
    broken = 0
    for promise in check(manifest):
        broken += not promise.kept
        yield promise
    if broken:
        raise PromisesBroken(broken)
    graphs = [f"{manifest.stem}.onnx", *parse(manifest.read_text(encoding="utf-8")).beside]
    data = {name for graph in graphs for name in _external(manifest.with_name(graph))}
    others = {path for path in own.glob("*.onnx") if path.name not in graphs}
    for name in sorted(data & {name for path in others for name in _external(path)}):
        if (own / name).read_bytes() != (manifest.parent / name).read_bytes():
            raise DataTaken(name)
    own.mkdir(parents=True, exist_ok=True)
    card = [manifest.with_suffix(".md").name] if manifest.with_suffix(".md").is_file() else []
    # The manifest last: a worker that starts meanwhile does not find it before its files.
    for name in (*sorted(data), *graphs, *card, manifest.name):
        place = own / name
        place.parent.mkdir(parents=True, exist_ok=True)
        copy = place.with_name(f".{place.name}.part")
        shutil.copyfile(manifest.parent / name, copy)
        copy.replace(place)


def _external(graph: Path) -> set[str]:
    """The files of external data that are there for a graph."""
    try:
        return set(external_files(graph, graph.read_bytes()))
    except (OSError, NoExternalData):
        return set()
