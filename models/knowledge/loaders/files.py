"""Which files of a folder are read, and by which loader. Knows names, not contents."""

from collections.abc import Callable, Iterator
from pathlib import Path

from models.knowledge.loaders import bookshelf, jsonl, markdown, medquad, pdf, pubmed, wikipedia
from models.knowledge.loaders.records import Loaded, Rejected
from models.knowledge.loaders.xml import root_of

_BY_ROOT: dict[str, Callable[[Path, str], Iterator[Loaded]]] = {
    "mediawiki": wikipedia.load,
    "Document": medquad.load,
}
"""What an XML document is by its outermost element; PubMed where it is none of these."""


def _xml(file: Path, name: str) -> Iterator[Loaded]:
    yield from _BY_ROOT.get(root_of(file), pubmed.load)(file, name)


_LOADERS: dict[str, Callable[[Path, str], Iterator[Loaded]]] = {
    ".jsonl": jsonl.load,
    ".md": markdown.load,
    ".markdown": markdown.load,
    ".txt": markdown.load,
    ".nxml": bookshelf.load,
    ".xml": _xml,
    ".xml.gz": _xml,
    ".xml.bz2": _xml,
    ".json": medquad.load_json,
    ".pdf": pdf.load,
}


def source_files(path: Path) -> Iterator[tuple[Path, str]]:
    """Each file at or under `path`, sorted, with the name by which it is cited: its way from `path` on.

    Hidden files and folders are left out.
    """
    if not path.is_dir():
        yield path, path.name
        return
    for file in sorted(path.rglob("*")):
        below = file.relative_to(path)
        if file.is_file() and not any(part.startswith(".") for part in below.parts):
            yield file, below.as_posix()


def load(file: Path, name: str) -> Iterator[Loaded]:
    """What a file holds, by the ending of its name; one without a loader, or that cannot be read, is a `Rejected`."""
    loader = next((loader for ending, loader in _LOADERS.items() if file.name.lower().endswith(ending)), None)
    if loader is None:
        yield Rejected(file.name, 0, f"no loader for such files; give {', '.join(_LOADERS)}")
        return
    try:
        yield from loader(file, name)
    except (OSError, EOFError):
        # Of gzip, a damaged file is an OSError (BadGzipFile), and a file that ends too early an EOFError.
        yield Rejected(file.name, 0, "the file cannot be read to its end; check that it is whole and who may read it")
