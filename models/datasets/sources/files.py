"""Collections of pictures: what a path, masks beside it, and tables say of each."""

import fnmatch
import glob
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from models.datasets.sources.collections import Collection, Lists, Mask, Table
from models.datasets.sources.found import Found, LeftOut, MaskPart, WrongLayout
from models.datasets.sources.tables import lines_of, rows_of

PICTURES = frozenset(
    {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm", ".dicom", ".gif", ".bmp", ".ppm", ".svs", ".nii", ".gz"}
)
_NAMED = re.compile(r"\(\?P<(?P<name>\w+)>")
_WRITTEN = (
    ("[a-zA-Z0-9.]+", "<ending>"), ("[^/]+", "<name>"), ("[^/]*", "*"), (r"\d+", "<number>"), ("\\", ""),
)  # fmt: skip
_WORDS = re.compile(r"[\w| -]+")
HIDDEN = re.compile(r"(^|/)\.|(^|/)__MACOSX/")


def find(root: Path, collection: Collection) -> Iterator[Found | LeftOut]:
    """Every picture below a folder, by path.

    Raises:
        WrongLayout: no picture lies where the collection has them, or a table is not there or lacks a column.
    """
    told = _Told(root, collection)
    path_of, skip = re.compile(collection.path), re.compile(collection.skip) if collection.skip else None
    seen, elsewhere = 0, ""
    for path in _pictures(root, collection):
        name = path.relative_to(root).as_posix()
        if skip is not None and skip.search(name):
            continue
        match = path_of.search(name)
        if match is None:
            elsewhere = elsewhere or f"; there is {name}"
            yield LeftOut(path, "its path is not one of the collection's")
            continue
        seen += 1
        parts = {key: value for key, value in match.groupdict().items() if value is not None}
        sidecar, reason = _sidecar(collection, path.name, parts, told)
        if reason:
            yield LeftOut(path, reason)
            continue
        masks = tuple(_masks(root, collection, parts, path))
        without = told.without(parts)
        if collection.masks and not masks:
            without = (*without, f"a mask at {' or '.join(_in_words(mask) for mask in collection.masks)}")
        yield Found(path, name, sidecar, masks, without=without)
    if not seen:
        raise WrongLayout(
            f"no image of {collection.title} was found: expected {' or '.join(collection.images)} below the folder, "
            f"with paths like {in_words(collection.path)}{elsewhere}"
        )


def in_words(pattern: str) -> str:
    """A declared path as a person reads it: names in angle brackets, words as they are."""
    plain, at = "", 0
    for part in _NAMED.finditer(pattern):
        if part.start() < at:
            continue
        plain += pattern[at : part.start()]
        at = _end(pattern, part.start())
        inner = pattern[part.end() : at - 1]
        if part["name"] != "base":
            plain += f"({inner})" if _WORDS.fullmatch(inner) else f"<{part['name']}>"
    plain += pattern[at:]
    for written, said in _WRITTEN:
        plain = plain.replace(written, said)
    return plain.removesuffix("$")


def _in_words(mask: Mask) -> str:
    return re.sub(r"\{(\w+)\}", r"<\1>", mask.path.replace("{base}", ""))


def _end(pattern: str, start: int) -> int:
    """Where the group that begins there is closed, one behind."""
    depth = 0
    for at in range(start, len(pattern)):
        depth += (pattern[at] == "(") - (pattern[at] == ")")
        if not depth:
            return at + 1
    return len(pattern)


def _pictures(root: Path, collection: Collection) -> Iterator[Path]:
    found: set[Path] = set()
    for pattern in collection.images:
        for path in root.glob(pattern):
            if path.suffix.lower() in PICTURES and path.is_file():
                found.add(path)
    for path in sorted(found):
        if not HIDDEN.search(path.relative_to(root).as_posix()):
            yield path


def _sidecar(collection: Collection, name: str, parts: Mapping[str, str], told: "_Told") -> tuple[dict[str, Any], str]:
    """What is said of an image, and why it is left out, if it is."""
    found = collection.said(modality=collection.modality_of(name))
    if (named := parts.get("class")) is not None:
        if named in collection.disease:
            found["disease"] = collection.disease[named]
        elif collection.disease:
            return found, f"the class is none of {', '.join(collection.disease)}"
    if (split := collection.splits.get(parts.get("split", ""))) is not None:
        found["split"] = split
    found |= {name: parts[name] for name in ("patient", "study", "series") if name in parts}
    if "channel" in parts:
        found["channels"] = [parts["channel"]]
    found |= told.of(parts)
    return {key: value for key, value in found.items() if value not in ("", None)}, ""


def _masks(root: Path, collection: Collection, parts: Mapping[str, str], path: Path) -> Iterator[MaskPart]:
    for mask in collection.masks:
        for one in sorted(_matching(root, mask, parts)):
            if one != path:
                yield MaskPart(one, _label(mask, one), mask.labels, mask.crops)


def _label(mask: Mask, path: Path) -> str:
    if not mask.named:
        return mask.label
    match = re.search(mask.named, path.name)
    return re.sub(r"[+_]", " ", match["label"]) if match else mask.label


def _matching(root: Path, mask: Mask, parts: Mapping[str, str]) -> list[Path]:
    escaped = {key: glob.escape(value) for key, value in parts.items()}
    try:
        pattern = mask.path.format_map(escaped)
    except KeyError:
        return []
    return [path for path in root.glob(pattern) if path.is_file()]


class _Told:
    """What tables and lists say of images, by what they name them by."""

    def __init__(self, root: Path, collection: Collection) -> None:
        self._fields: list[tuple[str, dict[str, dict[str, Any]]]] = []
        self._needed: list[tuple[str, dict[str, dict[str, Any]], str]] = []
        for table in collection.tables:
            rows = _read(root, table, collection)
            self._fields.append((table.match, rows))
            if not table.optional:
                self._needed.append((table.match, rows, f"a row in {' or '.join(table.files)}"))
        for one in collection.lists:
            lines = _lines(root, one, collection)
            self._fields.append((one.match, {Path(line).stem: {"split": one.split} for line in lines if line}))

    def without(self, parts: Mapping[str, str]) -> tuple[str, ...]:
        """Tables of which no row is of an image: they may have been cut off."""
        return tuple(said for match, rows, said in self._needed if parts.get(match, "") not in rows)

    def of(self, parts: Mapping[str, str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for match, fields in self._fields:
            found |= fields.get(parts.get(match, ""), {})
        return found


def _lines(root: Path, one: Lists, collection: Collection) -> list[str]:
    paths = sorted(root.glob(one.file))
    if not paths and not one.optional:
        raise WrongLayout(f"{collection.title} comes with {one.file}, which is not in the folder")
    return [line.strip() for path in paths for line in _named(path, one, collection)]


def _named(path: Path, one: Lists, collection: Collection) -> list[str]:
    if one.column:
        return [row[one.column] for row in rows_of(path, {one.column}, collection)]
    return lines_of(path, collection)


def _read(root: Path, table: Table, collection: Collection) -> dict[str, dict[str, Any]]:
    paths = sorted({path for pattern in table.files for path in root.glob(pattern)})
    if not paths and not table.optional:
        raise WrongLayout(f"{collection.title} comes with {' or '.join(table.files)}, which is not in the folder")
    found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    readers: defaultdict[str, list[str]] = defaultdict(list)
    needed = {table.key, *table.columns.values(), *(table.box or ()), *(table.corners or ()), *table.one_hot}
    for path in paths:
        for row in rows_of(path, needed, collection):
            key = _key(row, table)
            _take(row, table, found[key])
            if box := _box(row, table):
                _add_box(box, row.get(table.reader, ""), found[key].setdefault("boxes", []), readers[key])
    return dict(found)


def _key(row: Mapping[str, str], table: Table) -> str:
    key = row[table.key]
    if table.key_pattern:
        match = re.search(table.key_pattern, key)
        return match["stem"] if match else ""
    return Path(key).stem if "." in Path(key).name else key


def _take(row: Mapping[str, str], table: Table, fields: dict[str, Any]) -> None:
    for name, column in table.columns.items():
        value = row[column].strip()
        if name in table.values:
            value = next((said for given, said in table.values[name].items() if fnmatch.fnmatchcase(value, given)), "")
        if value:  # of what rows say differently of one image, nothing is said
            fields[name] = value if fields.get(name, value) == value else ""
    named = [said for column, said in table.one_hot.items() if _is_one(row[column])]
    if len(named) == 1:
        fields["disease"] = named[0]


def _add_box(box: dict[str, Any], reader: str, boxes: list[dict[str, Any]], readers: list[str]) -> None:
    """Unless another reader drew it already."""
    if not any(who != reader and _same(other, box) for other, who in zip(boxes, readers, strict=True)):
        boxes.append(box)
        readers.append(reader)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two boxes mark one thing: the same label, and more than half of what they cover in common."""
    if one.get("label") != other.get("label"):
        return False
    across, down = (
        min(one[at] + one[size], other[at] + other[size]) - max(one[at], other[at])
        for at, size in (("x", "width"), ("y", "height"))
    )
    common = max(across, 0) * max(down, 0)
    return 2 * common > one["width"] * one["height"] + other["width"] * other["height"] - common


def _is_one(value: str) -> bool:
    try:
        return float(value) == 1
    except ValueError:
        return False


def _box(row: Mapping[str, str], table: Table) -> dict[str, Any] | None:
    try:
        if table.box is not None:
            x, y, width, height = (float(row[column]) for column in table.box)
        elif table.corners is not None:
            x, y, right, bottom = (float(row[column]) for column in table.corners)
            width, height = right - x, bottom - y
        else:
            return None
    except ValueError:  # an image of such a table that has no box
        return None
    if width < 1 or height < 1 or x < 0 or y < 0:
        return None
    label = row.get(table.box_label_column, "") if table.box_label_column else table.box_label
    box = {"x": int(x), "y": int(y), "width": round(width), "height": round(height)}
    return {**box, "label": label} if label else box
