"""A collection put straight into a folder that is watched, and what is said of one that is not known."""

import asyncio
import json
from contextlib import aclosing
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.cli import main
from schemas.objects import ObjectReference
from streams.buckets import Watching, bucket_of
from streams.buckets.watching import FolderWatcher
from tests.models.datasets.test_sources import mask, picture


async def test_a_watcher_takes_each_image_once_and_with_its_sidecar(tmp_path: Path) -> None:
    """A listing between any two files of an image would announce it without what is said of it, and again later."""
    root, inbox = tmp_path / "kvasir", tmp_path / "inbox"
    inbox.mkdir()
    for n in range(12):
        picture(root / "images" / f"{n}.jpg")
        mask(root / "masks" / f"{n}.jpg")
    seen: list[ObjectReference] = []
    watcher = FolderWatcher(inbox, Watching(listing=0.02), [], settle=0.02)

    async def follow() -> None:
        async with aclosing(watcher.references()) as references:
            async for reference in references:
                seen.append(reference)
                if len(seen) == 12:
                    return

    following = asyncio.create_task(follow())
    arguments = ["source", "kvasir-seg", str(root), "--inbox", str(inbox), "--json"]
    result = await asyncio.to_thread(CliRunner().invoke, main, arguments)
    assert json.loads(result.output) == {"images": {"new": 12}, "left_out": {}, "without": {}}
    await asyncio.wait_for(following, 60)
    assert sorted(one.key for one in seen) == sorted(f"kvasir-seg/images/{n}.jpg" for n in range(12))
    for reference in seen:  # ObjectChanged, where a companion came after it was announced
        companions = bucket_of(reference).read(reference).companions
        assert json.loads(companions["sidecar"])["source"] == "Kvasir-SEG"
        assert companions["mask"]


def test_where_it_goes_is_said_once(tmp_path: Path) -> None:
    """A folder or an inbox, not both, and no object store, whose uploads have an order that the user must keep."""
    picture(tmp_path / "kvasir" / "images" / "0.jpg")
    command = ["source", "kvasir-seg", str(tmp_path / "kvasir")]
    runner = CliRunner()
    assert runner.invoke(main, command).exit_code == 2
    assert runner.invoke(main, [*command, "--out", str(tmp_path / "a"), "--inbox", str(tmp_path / "b")]).exit_code == 2
    refused = runner.invoke(main, [*command, "--inbox", "s3://bucket/prefix"])
    assert refused.exit_code == 2
    assert "copy there masks first" in refused.output


@pytest.mark.parametrize(
    ("kind", "meant"), [("kvasir", "kvasir-seg or kvasir-v2"), ("Kvasr-seg", "kvasir-seg"), ("BUSI ", "busi")]
)
def test_a_name_that_is_nearly_right_is_told_right(tmp_path: Path, kind: str, meant: str) -> None:
    """Part of a name, in capitals, or with a letter too few."""
    refused = CliRunner().invoke(main, ["source", kind, str(tmp_path), "--out", str(tmp_path / "a")])
    assert refused.exit_code == 2
    assert f"did you mean {meant}" in refused.output
