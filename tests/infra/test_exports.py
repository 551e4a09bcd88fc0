"""Files of lines: whole or not there, gone on with after a break, compressed as other programs read it."""

import gzip
import os
from pathlib import Path

import cramjam
import imagecodecs
import pytest

from infra import exports
from infra.exports import CannotWrite, FileExport, lines_of

LINES = [b"one", b"two" * 100, "drei é".encode()]


def written(path: Path, *lines: bytes) -> FileExport:
    export = FileExport(path)
    for line in lines:
        export.write(line)
    return export


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"])
def test_a_file_appears_under_its_name_when_it_is_whole(tmp_path: Path, name: str) -> None:
    """Until then its lines stand beside it, and an earlier one of the name is left alone."""
    path = tmp_path / "new" / name
    written(path, b"before").finish()
    export = written(path, *LINES)
    assert list(lines_of(path)) == [b"before"]
    export.finish()
    assert list(lines_of(path)) == LINES
    assert [found.name for found in path.parent.iterdir()] == [name]


def test_a_line_is_kept_by_who_is_killed_after_it(tmp_path: Path) -> None:
    """Each stands in the file at once, however short: one can be minutes of a model's work."""
    export = written(tmp_path / "a.jsonl", b"short")
    assert export.part.read_bytes() == b"short\n"
    export.close()


def test_what_is_compressed_is_read_by_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In several blocks: gzip's own reader, and two decoders of Zstandard."""
    monkeypatch.setattr(exports, "BLOCK", 100)
    plain = b"".join(line + b"\n" for line in LINES)
    for name in ("a.gz", "a.zst"):
        written(tmp_path / name, *LINES).finish()
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == plain
    assert bytes(cramjam.zstd.decompress((tmp_path / "a.zst").read_bytes())) == plain
    assert list(lines_of(tmp_path / "a.zst")) == LINES
    monkeypatch.undo()
    written(tmp_path / "b.zst", *LINES).finish()
    assert imagecodecs.zstd_decode((tmp_path / "b.zst").read_bytes()[12:]) == plain


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("at_once", [1, 7, 4096])
def test_lines_are_read_whatever_is_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, end: bytes, at_once: int
) -> None:
    """Lines longer than that, empty ones, and a last one that nothing ends."""
    monkeypatch.setattr(exports, "_BUFFER", at_once)
    lines = [b"", *LINES, b"", b"x" * 7, b"last"]
    content = b"\n".join(lines) + end
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert list(lines_of(tmp_path / name)) == lines


def test_a_run_that_broke_off_is_gone_on_with_on_demand_only(tmp_path: Path) -> None:
    """Its whole lines count; half a line that a killed process left does not."""
    path = tmp_path / "a.jsonl.zst"
    written(path, b"old").finish()
    broken = written(path, b"one", b"two")
    broken.close()
    with broken.part.open("ab") as file:
        file.write(b'{"half')
    with pytest.raises(CannotWrite, match="--resume"):
        FileExport(path)
    export = FileExport(path, begin="resume")
    assert list(export.earlier()) == [(b"one", True), (b"two", True), (b"old", False)]
    export.write(b"three")
    export.finish()
    assert list(lines_of(path)) == [b"one", b"two", b"three"]


def test_two_processes_do_not_write_one_file(tmp_path: Path) -> None:
    """The second is told so, and the first goes on."""
    export = written(tmp_path / "a", b"one")
    with pytest.raises(CannotWrite, match="another process"):
        FileExport(tmp_path / "a", begin="resume")
    export.write(b"two")
    export.finish()
    assert (tmp_path / "a").read_bytes() == b"one\ntwo\n"


def test_links_are_not_written_through(tmp_path: Path) -> None:
    """Neither one in place of the file nor one in place of its beginnings."""
    others = tmp_path / "others"
    others.write_bytes(b"kept")
    (tmp_path / "a").symlink_to(others)
    written(tmp_path / "a", b"one").finish()
    assert (tmp_path / "a").read_bytes() == b"one\n"
    (tmp_path / "b.part").symlink_to(others)
    for begin in ("resume", "anew"):
        with pytest.raises(CannotWrite):
            FileExport(tmp_path / "b", begin=begin)  # type: ignore[arg-type] - both are of the type
    assert others.read_bytes() == b"kept"


def test_a_full_disk_is_told_in_one_line_and_leaves_what_was_before(tmp_path: Path) -> None:
    """The system's word, and the name that the user gave."""
    path = tmp_path / "a"
    written(path, b"before").finish()
    export = written(path, b"one")
    with Path("/dev/full").open("wb") as full:
        os.dup2(full.fileno(), export._file.fileno())  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(CannotWrite, match="No space left on device"):
        export.write(b"x" * 100_000)
    export.close()
    assert path.read_bytes() == b"before\n"


def test_nothing_is_left_where_nothing_was_written(tmp_path: Path) -> None:
    """A run that broke off before its first line does not ask to be gone on with."""
    FileExport(tmp_path / "a").close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.gz", "a.zst"])
def test_a_damaged_file_cannot_be_gone_on_with(tmp_path: Path, name: str) -> None:
    """It is told, and not taken for a shorter one."""
    written(tmp_path / name, *LINES).finish()
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-3])
    with pytest.raises(CannotWrite, match="damaged"):
        list(lines_of(tmp_path / name))
