"""What a data set takes of what there is, and how. Each filter says why it leaves out what it leaves out."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from models.datasets.duplicates import MOST_DISTANCE, NEAR
from models.datasets.licences import Licences
from models.datasets.lines import Glance
from models.datasets.scan import Scan, Seen
from models.datasets.splits import Shares

PICTURE, SMALL, KIND, LICENCE, UNSUPPORTED, CAP, THINNED = (
    "picture by reference", "smaller than asked", "no region of the kinds asked for",
    "licence not permitted", "a statement without support",
    "more of its series than asked", "modality more frequent than asked",
)  # fmt: skip


@dataclass(frozen=True)
class Policy:
    """The choices of one data set.

    Args:
        shares: of the images for validation and test.
        key: of the hash that splits groups; another key gives other splits.
        unsupported: also triplets with statements that verification did not bear out.
        kinds: of regions; a triplet has one of them at least. Empty: all.
        licences: that are permitted, as Licences has them. Empty: all, also unknown ones.
        smallest_px: rows and columns, at least.
        most_a_series: images, evenly over the series; 0: all.
        temperature: of modalities, 0 to 1: with n images of a modality, n to this power count against the others; 1
            takes all, 0 as many of each.
        near: bits of the perceptual hash at most between near duplicates; their groups stay together.
        turns: of instruction an image, at most.
        questions: kinds of turns that are taken, of models/datasets/instructions; None: all.
    """

    shares: Shares = field(default_factory=Shares)
    key: str = "tristream"
    unsupported: bool = False
    kinds: frozenset[str] = frozenset()
    licences: tuple[str, ...] = ()
    smallest_px: int = 32
    most_a_series: int = 0
    temperature: float = 1.0
    near: int = NEAR
    turns: int = 4
    questions: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 1:
            raise ValueError("the temperature is between 0 (as many of each modality) and 1 (all)")
        if not 0 <= self.near <= MOST_DISTANCE:
            raise ValueError(f"near duplicates differ in 0 to {MOST_DISTANCE} bits")

    def refuses(self, one: Glance) -> str:
        """Why a triplet by itself is not taken; empty where it is."""
        if one.image.data is None:
            return PICTURE
        if min(one.image.rows, one.image.columns) < self.smallest_px:
            return SMALL
        if self.kinds and not self.kinds & one.kinds:
            return KIND
        if not Licences(self.licences).permit(one.provenance.licence if one.provenance else None):
            return LICENCE
        return UNSUPPORTED if one.unsupported and not self.unsupported else ""

    def thin(self, scan: Scan) -> None:
        """Leave out what is too frequent, by series and by modality."""
        if self.most_a_series:
            series: dict[str, int] = Counter(seen.series for seen in scan.taken())
            place: Counter[str] = Counter()
            for seen in list(_over(scan, series, self.most_a_series)):
                n, k = series[seen.series], place[seen.series]
                place[seen.series] += 1
                if k * self.most_a_series // n == (k - 1) * self.most_a_series // n and k:
                    scan.leave_out(seen.triplet_id, CAP)
        if self.temperature < 1:
            counts = Counter(seen.modality for seen in scan.taken())
            least = min(counts.values(), default=1)
            kept = {name: (n / least) ** self.temperature * least / n for name, n in counts.items()}
            for seen in list(scan.taken()):
                if _chance(self.key, seen.triplet_id) >= kept[seen.modality]:
                    scan.leave_out(seen.triplet_id, THINNED)


def _over(scan: Scan, series: dict[str, int], most: int) -> Iterator[Seen]:
    return (seen for seen in scan.taken() if series[seen.series] > most)


def _chance(key: str, name: str) -> float:
    return int.from_bytes(hashlib.blake2b(f"{key}:{name}".encode(), digest_size=7).digest()) / 2**56
