"""Hashes held against each other, all at once."""

import random

from models.datasets.duplicates import Hashes


def test_near_hashes_are_found_and_no_others() -> None:
    """As bit by bit, among more than fit into memory at first, wherever the bits lie that differ."""
    chance = random.Random(0)
    values = [chance.getrandbits(256) for _ in range(1500)]
    for place in range(0, 1500, 50):
        flipped = chance.sample(range(256), chance.randrange(20))
        values[place + 1] = values[place] ^ sum(1 << bit for bit in flipped)
    hashes = Hashes()
    assert hashes.near(values[0], 15) == []
    for value in values:
        hashes.add(value)
    for most in (0, 5, 12, 15):
        for value in values[::50]:
            expected = [n for n, other in enumerate(values) if (value ^ other).bit_count() <= most]
            assert hashes.near(value, most) == expected
    assert any(len(hashes.near(value, 12)) == 2 for value in values[::50])
    assert any(len(hashes.near(value, 12)) == 1 for value in values[::50])
