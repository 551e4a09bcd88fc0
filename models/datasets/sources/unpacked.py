"""A collection found below the folder that was given: archives are unpacked one level deeper than one thinks."""

from collections.abc import Iterator
from pathlib import Path

from models.datasets.sources.collections import Collection
from models.datasets.sources.found import Find, Found, LeftOut, WrongFile, WrongLayout

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".rar", ".7z", ".h5.gz")
NO_PART = ("__MACOSX",)
_MOST_SHOWN = 3


def unpacked(root: Path, collection: Collection, find: Find) -> Iterator[Found | LeftOut]:
    """What an adapter finds in a folder, or in the only one that lies in it, and so on.

    Raises:
        WrongLayout: it finds nothing; said is also in which folder below it would, and which archives are packed still.
    """
    tried = root
    while True:
        begun = False
        aside: list[LeftOut] = []
        try:
            for one in find(tried, collection):
                begun = begun or isinstance(one, Found)
                if isinstance(one, LeftOut) and not begun:
                    aside.append(one)
                    continue
                yield from aside
                aside.clear()
                yield one
        except WrongFile:
            raise
        except WrongLayout as error:
            if begun:
                raise
            within = _only_folder(tried)
            if within is None:
                raise WrongLayout(f"{error}{_hint(root, collection, find)}") from None
            tried = within
        else:
            yield from aside
            return


def _folders(root: Path) -> list[Path]:
    return sorted(
        path for path in root.glob("*") if path.is_dir() and not path.name.startswith(".") and path.name not in NO_PART
    )


def _only_folder(root: Path) -> Path | None:
    """The folder in which all of a folder lies, as an archive makes one."""
    folders = _folders(root)
    files = any(path.is_file() and not path.name.startswith(".") for path in root.glob("*"))
    return folders[0] if len(folders) == 1 and not files else None


def _hint(root: Path, collection: Collection, find: Find) -> str:
    for path in _folders(root):
        if _fits(path, collection, find):
            return f". It seems to lie in {path.name}: give that folder"
    packed = [path.name for path in sorted(root.glob("*")) if path.name.lower().endswith(ARCHIVES)]
    if packed:
        more = f" and {len(packed) - _MOST_SHOWN} more" if len(packed) > _MOST_SHOWN else ""
        return f". Archives lie in the folder: unpack {', '.join(packed[:_MOST_SHOWN])}{more} first"
    return ""


def _fits(root: Path, collection: Collection, find: Find) -> bool:
    try:
        return any(isinstance(one, Found) for one in find(root, collection))
    except WrongLayout:
        return False
