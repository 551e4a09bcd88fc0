"""The work behind `tristream knowledge`: gather passages from files, put them into a store, look into it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from agents.settings import Settings
from models.knowledge import (
    KnowledgeBase,
    load_encoder,
    open_embedded,
    open_knowledge,
    write_index,
)
from models.knowledge.loaders import Rejected, load, source_files
from schemas.failures import TristreamError
from schemas.knowledge import Passage

MOST_NAMED = 5
"""Rejected records that are named for each reason; the file of rejected records names all."""


class NothingToIndex(TristreamError):
    """No passage came out of what was given."""

    def __init__(self) -> None:
        super().__init__("no passage was found in what was given; the reasons stand above")


@dataclass(slots=True)
class Gathered:
    """What came out of files."""

    passages: dict[str, Passage] = field(default_factory=dict[str, Passage])
    files: int = 0
    rejected: list[Rejected] = field(default_factory=list[Rejected])

    @property
    def in_order(self) -> tuple[Passage, ...]:
        """The passages by id, as stores take them."""
        return tuple(self.passages[name] for name in sorted(self.passages))

    def reasons(self) -> list[tuple[str, int, str]]:
        """(reason, how many, the first of them) of rejected records, most frequent first."""
        named: dict[str, list[str]] = {}
        for each in self.rejected:
            named.setdefault(each.reason, []).append(f"{each.file}:{each.record}" if each.record else each.file)
        return [
            (reason, len(places), ", ".join(places[:MOST_NAMED]) + (", …" if len(places) > MOST_NAMED else ""))
            for reason, places in sorted(named.items(), key=lambda item: -len(item[1]))
        ]

    def write_rejected(self, path: Path) -> None:
        """All rejected records as JSON Lines."""
        lines = ({"file": each.file, "record": each.record, "reason": each.reason} for each in self.rejected)
        path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))


def gather(paths: Iterable[Path], tell: Callable[[int, int], None]) -> Gathered:
    """Load every file at or under `paths`. `tell`: how many files of how many are done."""
    files = [found for path in paths for found in source_files(path)]
    gathered = Gathered(files=len(files))
    for done, (file, name) in enumerate(files):
        tell(done, len(files))
        for number, each in enumerate(load(file, name), start=1):
            if isinstance(each, Rejected):
                gathered.rejected.append(each)
            elif each.passage_id in gathered.passages:
                gathered.rejected.append(
                    Rejected(file.name, number, "same passage_id as one before it; the first stays")
                )
            else:
                gathered.passages[each.passage_id] = each
    tell(len(files), len(files))
    return gathered


def build(
    settings: Settings,
    name: str,
    passages: Sequence[Passage],
    *,
    keep: int,
    tell: Callable[[int, int], None],
) -> str:
    """Index passages, in place of what was there, and return the snapshot. Into Weaviate where the settings name one.

    Raises:
        NothingToIndex: there are none.
        Unavailable: the store cannot be written; what was there stays.
    """
    if not passages:
        raise NothingToIndex
    encoder = load_encoder(settings.chosen_encoder)
    if settings.weaviate is not None:
        from models.knowledge import weaviate

        return weaviate.build(settings.weaviate, name, passages, encoder=encoder, keep=keep, tell=tell)
    return write_index(name, passages, index_of(settings), encoder)


def current(settings: Settings) -> tuple[str, tuple[Passage, ...]]:
    """Name and passages of the store as it is. Raises InvalidIndex, OtherEncoder or Unavailable."""
    if settings.weaviate is not None:
        from models.knowledge import weaviate

        return weaviate.current_passages(settings.weaviate)
    base = open_embedded(index_of(settings), load_encoder(settings.chosen_encoder))
    return base.snapshot.partition("@")[0], base.passages


def searched(settings: Settings) -> KnowledgeBase:
    """What `knowledge build` wrote with these settings; where it wrote nothing, the base that a worker would search."""
    own = index_of(settings)
    return open_knowledge(
        settings.wires.state,
        index=own if own.exists() else settings.knowledge,
        encoder=settings.chosen_encoder,
        weaviate=settings.weaviate,
    )()


def index_of(settings: Settings) -> Path:
    """The index file that is written: TRISTREAM_KNOWLEDGE, or one in the state folder."""
    return settings.knowledge or settings.wires.state.absolute() / "knowledge" / "own.npz"
