"""Which files of a folder are read, and by which loader. Knows names, not contents."""

from collections.abc import Callable, Iterator
from pathlib import Path

from models.knowledge.loaders import bookshelf, jsonl, markdown, pubmed
from models.knowledge.loaders.records import Loaded, Rejected

_LOADERS: dict[str, Callable[[Path, str], Iterator[Loaded]]] = {
    ".jsonl": jsonl.load,
    ".md": markdown.load,
    ".markdown": markdown.load,
    ".txt": markdown.load,
    ".nxml": bookshelf.load,
    ".xml": pubmed.load,
    ".xml.gz": pubmed.load,
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
