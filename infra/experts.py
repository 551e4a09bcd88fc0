"""The work behind `tristream experts`: list, show, check, and add to a folder of one's own."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from models.experts.calibration import LEAST_PATIENTS, LEAST_REGIONS, calibrated, precise, worth
from models.experts.checking import check
from models.experts.datasets.triplets import judged
from models.experts.external import NoExternalData, external_files
from models.experts.manifest import Manifest, parse, read
from models.experts.packaged import LIBRARY
from models.experts.promises import Promise
from models.experts.toml_text import pairs
from schemas.failures import TristreamError


class NoExperts(TristreamError):
    """TRISTREAM_EXPERTS names no folder to add to."""

    def __init__(self) -> None:
        super().__init__("set TRISTREAM_EXPERTS to the folder that your own experts shall be in")


class NoSuchExpert(TristreamError):
    """A name that no expert has."""

    def __init__(self, known: Iterator[str]) -> None:
        super().__init__(f"there is no such expert; there are {', '.join(known)}")


class NoSuchLabel(TristreamError):
    """A mark is named of labels that the expert does not have."""

    def __init__(self, strange: list[str], labels: list[str]) -> None:
        super().__init__(f"the expert has no label {', '.join(strange)}: --mark takes one of {', '.join(labels)}")


class NothingToCalibrate(TristreamError):
    """Triplets without a region of the expert on an image whose source marks what it is for."""

    def __init__(self, expert: str) -> None:
        super().__init__(
            f"no triplet holds a region of {expert} on an image of which the source marks the same: annotate marked "
            "images with this very version, and tell what the source calls a label by --mark LABEL=WORD"
        )


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


def calibration(
    manifest: Path, triplets: list[Path], of: str, marks: Mapping[str, frozenset[str]], *, unmarked: bool
) -> Iterator[str]:
    """Of each label of an expert what its regions were worth, and the lines that its manifest may state of it.

    Args:
        manifest: of the expert that made the triplets' candidates.
        triplets: JSON Lines of images that the source marked.
        of: which images these are, and by whom they were marked.
        marks: by label, what the source calls it where that is not the label itself.
        unmarked: what is told of an image in which the source marks nothing is wrong.

    Raises:
        BadDataset: a file holds no triplets.
        BrokenExpert: the manifest, or its graph, cannot be read.
        NoSuchLabel: `marks` names one that the expert has not.
        NothingToCalibrate: none of them holds a region of the expert beside a mark of what it is for.
    """
    told, _ = read(manifest)
    labels = [one.label for one in told.outputs] or [one.name for one in told.labels]
    if strange := sorted(set(marks) - set(labels)):
        raise NoSuchLabel(strange, labels)
    named = {label: marks.get(label, frozenset({label.lower()})) for label in labels}
    found = judged(triplets, told.expert, named, unmarked=unmarked)
    if not any(scored for _, scored in found.values()):
        raise NothingToCalibrate(told.expert)
    for label, (images, scored) in found.items():
        if not scored:
            yield f"# {label}: no region on {images} images"
            continue
        measured, stated = precise(scored, images, of), calibrated(scored, images, of)
        yield f"# {label}: {len(scored)} regions on {images} images of {len({one.group for one in scored})} patients"
        if (by := worth(scored)) is not None and stated is not None:
            apart = "all are alike" if by.told_apart is None else f"{by.told_apart:.2f} (0.5 is chance)"
            yield f"# a right one scores higher than a wrong one: {apart}"
            yield (
                f"# Brier score, each half of the patients by the other: score as it is {by.score.brier:.3f}, "
                f"calibrated {by.curve.brier:.3f}, share of right ones {by.share.brier:.3f}; "
                f"gain {by.gain[0]:+.3f} ({by.gain[1]:+.3f} to {by.gain[2]:+.3f})"
            )
            yield "# " + (
                "the score tells" if stated.slope else "the score does not tell for sure: one probability for all"
            )
        else:
            yield (
                f"# not calibrated: that takes {LEAST_REGIONS} regions of {LEAST_PATIENTS} patients; where nothing "
                "tells them a folder is one, but with annotate --patients file each file is"
            )
        table = {"precision": measured} | ({"calibration": stated} if stated else {})
        yield from pairs({name: one.model_dump(mode="json", exclude_defaults=True) for name, one in table.items()})


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
