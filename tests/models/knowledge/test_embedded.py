"""The index file: built whole or not at all, rebuilt when it must be, refused when damaged."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from models.knowledge import STARTER_CORPUS, InvalidIndex, Query, build, ensure_index, open_embedded, snapshots
from schemas.failures import Unavailable

LINE = '{"passage_id":"%s","title":"Air","text":"%s","reference":"A textbook","modalities":["CT"],"organs":[]}\n'


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "small.jsonl"
    path.write_text(LINE % ("air", "Air is dark.") + LINE % ("bone", "Bone is bright."))
    return path


def test_build_is_reproducible(tmp_path: Path) -> None:
    """The same corpus gives the same bytes."""
    first, second = (build(STARTER_CORPUS, tmp_path / name) for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()


def test_build_leaves_one_file(corpus: Path, tmp_path: Path) -> None:
    """Building creates the folder, and nothing half-written stays beside the index."""
    path = build(corpus, tmp_path / "new" / "state")
    assert list(path.parent.iterdir()) == [path]


def test_index_is_kept_while_current(corpus: Path, tmp_path: Path) -> None:
    """An index of the same snapshot is not built again."""
    path = ensure_index(corpus, tmp_path / "state")
    before = path.stat().st_ino
    assert ensure_index(corpus, tmp_path / "state").stat().st_ino == before


def test_index_follows_the_corpus(corpus: Path, tmp_path: Path) -> None:
    """A changed corpus is indexed again; a store that is already open goes on with what it had."""
    opened = open_embedded(ensure_index(corpus, tmp_path / "state"))
    before = opened.snapshot
    corpus.write_text(corpus.read_text() + LINE % ("gas", "Gas in the bowel."))
    renewed = open_embedded(ensure_index(corpus, tmp_path / "state"))
    assert renewed.snapshot != before == opened.snapshot
    assert renewed.search(Query("gas in the bowel"))[0].passage_id == "gas"
    assert "gas" not in [each.passage_id for each in opened.search(Query("gas in the bowel"))]


def test_versions_do_not_share_an_index(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that ranks in another way keeps an index of its own beside the other's, and neither is written again."""
    first = ensure_index(corpus, tmp_path)
    monkeypatch.setattr(snapshots, "ANALYSIS_VERSION", -1)
    second = ensure_index(corpus, tmp_path)
    assert first != second
    inodes = [path.stat().st_ino for path in (first, second)]
    assert ensure_index(corpus, tmp_path) == second
    monkeypatch.undo()
    assert ensure_index(corpus, tmp_path) == first
    assert [path.stat().st_ino for path in (first, second)] == inodes


def test_forgotten_indexes_are_removed(corpus: Path, tmp_path: Path) -> None:
    """One that none has opened for a month is removed when another is written; one in use stays."""
    old, young, foreign = (tmp_path / name for name in (f"{corpus.stem}-a.npz", f"{corpus.stem}-b.npz", "own.npz"))
    for path in (old, young, foreign):
        path.write_bytes(b"")
    long_ago = time.time() - 31 * 86400
    for path in (old, foreign):
        os.utime(path, (long_ago, long_ago))
    ensure_index(corpus, tmp_path)
    assert (old.exists(), young.exists(), foreign.exists()) == (False, True, True)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not a zip", b"\x80\x04K\x01.", b"{}"])
def test_damaged_index_is_refused_and_mended(corpus: Path, tmp_path: Path, damage: bytes) -> None:
    """A damaged file raises InvalidIndex when opened, is never unpickled, and is built anew when ensured."""
    path = build(corpus, tmp_path)
    path.write_bytes(damage)
    with pytest.raises(InvalidIndex, match="build it again"):
        open_embedded(path)
    assert open_embedded(ensure_index(corpus, tmp_path)).search(Query("bone"))


def test_truncated_index_is_refused(corpus: Path, tmp_path: Path) -> None:
    """Half a file is a damaged file."""
    path = build(corpus, tmp_path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InvalidIndex):
        open_embedded(path)


def test_index_of_another_form_is_refused(tmp_path: Path) -> None:
    """Arrays without ours among them, and arrays of objects, are no index."""
    foreign, objects = tmp_path / "foreign.npz", tmp_path / "objects.npz"
    np.savez(foreign, something=np.zeros(3))
    np.savez(objects, header=np.array([{}], dtype=object))
    for path in (foreign, objects):
        with pytest.raises(InvalidIndex):
            open_embedded(path)


def test_missing_index_is_unavailable(tmp_path: Path) -> None:
    """Nothing to open may be there later."""
    with pytest.raises(Unavailable, match="cannot be read"):
        open_embedded(tmp_path / "none.npz")


def test_unwritable_folder_is_unavailable(corpus: Path) -> None:
    """A folder that cannot be made is reported without its path."""
    with pytest.raises(Unavailable) as raised:
        build(corpus, corpus / "state")
    assert "small" not in str(raised.value)


def test_search_needs_no_heavy_import(corpus: Path, tmp_path: Path) -> None:
    """A worker that opens a built index loads neither SciPy nor scikit-learn."""
    path = build(corpus, tmp_path)
    script = (
        "import sys; from pathlib import Path; from models.knowledge import Query, open_embedded;"
        "assert open_embedded(Path(sys.argv[1])).search(Query('bone'));"
        "print({'scipy', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("set()", "")
