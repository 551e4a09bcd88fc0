"""Notes and guidelines of one's own: Markdown or plain text, a source a file.

A file may begin with a head of its own, in place of what is guessed from it:

    ---
    title: Renal colic pathway
    reference: Department of Radiology, Renal colic pathway, version 3, 2026
    modalities: CT, ultrasound
    organs: kidney
    diseases: kidney stone
    structures: ureter
    kind: appearance
    ---
"""

import re
from collections.abc import Iterator
from pathlib import Path

from models.knowledge.loaders.records import Labels, Loaded, Part, Rejected, labels_of, passages
from schemas.images import MODALITIES, Modality
from schemas.knowledge import PASSAGE_KINDS, PassageKind

_HEAD = re.compile(r"---[ \t]*\n(.*?\n)---[ \t]*\n", re.DOTALL)
_HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_LABELS = frozenset({"modalities", "organs", "diseases", "structures", "kind"})
_KEYS = frozenset({"title", "reference", *_LABELS})


def load(file: Path, name: str) -> Iterator[Loaded]:
    """The passages of a file; places are those of its text, decoded, its head and line ends included."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        yield Rejected(file.name, 1, "not text in UTF-8; save it so")
        return
    head = _HEAD.match(text)
    body = head.end() if head else 0
    fields = _fields(head[1]) if head else {}
    if fields is None:
        keys = ", ".join(sorted(_KEYS))
        yield Rejected(file.name, 1, f"its head has a line that is not KEY: VALUE, with a key of {keys}")
        return
    modalities = _listed(fields, "modalities")
    if not set(modalities) <= set(MODALITIES):
        yield Rejected(file.name, 1, f"its head names an unknown modality; use {', '.join(MODALITIES)}")
        return
    kind: PassageKind | None = next((kind for kind in PASSAGE_KINDS if kind == fields.get("kind")), None)
    if "kind" in fields and kind is None:
        yield Rejected(file.name, 1, f"its head names an unknown kind; use {', '.join(PASSAGE_KINDS)}")
        return
    headings = _headings(text, body) if file.suffix.lower() != ".txt" else []
    title = fields.get("title") or (headings[0][1] if headings else Path(name).stem.replace("-", " ").replace("_", " "))
    labels = labels_of(title)
    if _LABELS & fields.keys():
        known: tuple[Modality, ...] = tuple(m for m in MODALITIES if m in modalities)
        organs, diseases, structures = (_lower(fields, key) for key in ("organs", "diseases", "structures"))
        labels = Labels(known, organs, diseases, structures, kind)
    reference = fields.get("reference") or f"{title} ({name})"
    found = list(passages(name, title, reference, text, _parts(text, body, headings, title), labels))
    if found:
        yield from found
    else:
        yield Rejected(file.name, 1, "no text under its headings")


def _fields(head: str) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for line in filter(str.strip, head.splitlines()):
        key, colon, value = line.partition(":")
        if not colon or key.strip() not in _KEYS:
            return None
        found[key.strip()] = value.strip()
    return found


def _listed(fields: dict[str, str], key: str) -> list[str]:
    return [word.strip() for word in fields.get(key, "").split(",") if word.strip()]


def _lower(fields: dict[str, str], key: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _listed(fields, key))


def _headings(text: str, body: int) -> list[tuple[int, str, int, int]]:
    """(level, words, start, end) of each heading outside of code."""
    fences = [found.span() for found in _FENCE.finditer(text, body)]
    return [
        (len(found[1]), found[2], found.start(), found.end())
        for found in _HEADING.finditer(text, body)
        if not any(start <= found.start() < end for start, end in fences)
    ]


def _parts(text: str, body: int, headings: list[tuple[int, str, int, int]], title: str) -> list[Part]:
    """The stretches between headings, each under the headings above it. The title itself is no section."""
    starts: list[tuple[int, tuple[str, ...]]] = [(body, ())]
    above: dict[int, str] = {}
    for level, words, _, end in headings:
        above = {upper: name for upper, name in above.items() if upper < level} | {level: words}
        starts.append((end, tuple(name for _, name in sorted(above.items()) if name != title)))
    ends = [start for _, _, start, _ in headings] + [len(text)]
    return [Part(" › ".join(names), start, end) for (start, names), end in zip(starts, ends, strict=True)]
