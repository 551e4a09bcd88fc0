"""Damaged files, by the hundred, through preprocess and a real isolated pool: each is accounted for."""

import asyncio
import hashlib
from pathlib import Path

import numpy as np
import pytest

from agents.preprocess import preprocess
from agents.reading import Reading
from models.imaging import BurnedInPolicy, FramePolicy, encode_png
from schemas.failures import InvalidInput
from schemas.images import MedicalImage
from schemas.limits import MEBIBYTE
from schemas.objects import ObjectReference
from streams.identity import Identity
from streams.isolation import Isolated
from streams.payloads import Payloads
from tests.fuzz.mutations import MUTATIONS, mutant
from tests.fuzz.running import LIMITS, run
from tests.fuzz.seeds import TOKEN, seeds

SEED = 7
CASES = 500
PROCESS_BYTES = 150 * MEBIBYTE
"""That a process holds before its first object."""


def test_a_case_is_made_again_by_its_numbers() -> None:
    """Seed, case and seed files decide every byte; other numbers decide others."""
    files = seeds()
    again = [(mutant(3, case, files).data, mutant(3, case, files).data) for case in range(200)]
    assert all(first == second for first, second in again)
    assert len({data for data, _ in again}) > 190
    assert mutant(4, 0, files).data != again[0][0]


def test_the_cases_cover_every_mutation_and_the_seeds_hold_the_word() -> None:
    """A list that silently became empty would pass every other test."""
    files = seeds()
    assert {name for case in range(CASES) for name in mutant(SEED, case, files).mutations} == set(MUTATIONS)
    assert len(files) > 200
    assert sum(TOKEN in file.data for file in files) > 150


async def test_every_damaged_file_is_accounted_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Images or dead letters, whatever is done to a file; and nothing that it says comes out.

    A crash of a decoder is a dead letter too, but a rare one. Memory does not grow with the number of cases.
    """
    files = seeds()
    account = await run((mutant(SEED, case, files) for case in range(CASES)), tmp_path)
    assert [outcome for outcome in account.outcomes if outcome.defect] == []
    assert sorted(outcome.case for outcome in account.outcomes) == list(range(CASES))
    assert len(account.of("DecoderCrashed", "TookTooLong")) <= CASES // 100
    assert len(account.of("images")) > CASES // 20
    assert account.parent_growth < 64 * MEBIBYTE
    assert account.child_bytes < PROCESS_BYTES + LIMITS.memory
    assert TOKEN.decode() not in caplog.text


async def test_whole_files_among_damaged_ones_lose_nothing(tmp_path: Path) -> None:
    """The stage goes on: beside bombs, hangs and crashes, every whole image comes out the same as alone."""
    files = seeds()
    isolated = Isolated(LIMITS, processes=2, modules=("agents.preprocess",))
    payloads = Payloads(tmp_path.joinpath("payloads").as_uri(), 2**40)

    def reference(data: bytes, name: str) -> ObjectReference:
        path = tmp_path / name
        path.write_bytes(data)
        etag = hashlib.sha256(data).hexdigest()
        return ObjectReference(bucket=tmp_path.as_uri(), key=name, etag=etag, size=len(data))

    async def outcomes(one: ObjectReference) -> list[str]:
        try:
            return [
                outcome.image_id if isinstance(outcome, MedicalImage) else type(outcome.cause).__name__
                async for outcome in preprocess(
                    one,
                    isolated=isolated,
                    identity=Identity(bytes(32)),
                    payloads=payloads,
                    reading=Reading(FramePolicy("spread", 2), BurnedInPolicy(), LIMITS),
                )
            ]
        except InvalidInput as error:
            return [type(error).__name__]

    whole = [reference(encode_png(np.full((32, 32), value, np.uint8)), f"whole-{value}") for value in range(20)]
    damaged = [reference(mutant(SEED, case, files).data, f"damaged-{case}") for case in range(60)]
    alone = [await outcomes(one) for one in whole]
    mixed = [whole[index // 4] if index % 4 == 0 else damaged[index - index // 4 - 1] for index in range(80)]
    together = await asyncio.gather(*(outcomes(one) for one in mixed))
    isolated.close()
    assert together[::4] == alone
    assert all(together)
