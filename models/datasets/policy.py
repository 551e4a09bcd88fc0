"""What a data set takes of what there is, and how. Each filter says why it leaves out what it leaves out."""

import hashlib
from dataclasses import dataclass, field

from models.datasets.duplicates import MOST_DISTANCE, NEAR
from models.datasets.licences import Licences
from models.datasets.lines import Glance, is_composed
from models.datasets.scan import Scan
from models.datasets.splits import Shares
from schemas.limits import DEFAULT_LIMITS

PICTURE, SMALL, LARGE, KIND, LICENCE, UNSUPPORTED, WRITTEN, NEARLY, CAP, CAP_PATIENT, THINNED = (
    "picture by reference", "smaller than asked", "larger than a picture can be", "no region of the kinds asked for",
    "licence not permitted", "a statement without support", "a text of a language model",
    "nearly another image", "more of its series than asked", "more of its patient than asked",
    "modality more frequent than asked",
)  # fmt: skip
MOST_PIXELS = DEFAULT_LIMITS.pixels
"""Of a picture: its masks are unpacked, each of them."""


@dataclass(frozen=True)
class Alike:
    """Which images are alike by the vectors that an encoder gave: those of a cosine of `least` or more.

    Args:
        encoder: name, or name@version, of an expert of kind 'embedding'.
        least: between 0 and 1, from which on groups stay together. No value holds for all encoders.
    """

    encoder: str
    least: float

    def __post_init__(self) -> None:
        if not self.encoder or not 0 < self.least < 1:
            raise ValueError("images are alike from a cosine between 0 and 1 on, as in my-encoder=0.95")


@dataclass(frozen=True)
class Policy:
    """The choices of one data set.

    Args:
        shares: of the images for validation and test.
        key: of the hash that splits groups; another key gives other splits.
        unsupported: also triplets with statements that verification did not bear out.
        composed: only texts that were written from measurements, and none of a language model.
        kinds: of regions; a triplet has one of them at least. Empty: all.
        licences: that are permitted, as Licences has them. Empty: all, also unknown ones.
        smallest_px: rows and columns, at least.
        distinct: an image that is nearly one taken before is left out.
        most_a_series: images, evenly over the series; 0: all.
        most_a_patient: images, evenly over the patient, or what else its group is of; 0: all.
        temperature: of modalities, 0 to 1: with n images of a modality, n to this power count against the others; 1
            takes all, 0 as many of each.
        near: bits of the perceptual hash at most between near duplicates; their groups stay together.
        alike: images whose groups stay together too; None: the hash alone tells.
        turns: of instruction an image, at most.
        questions: kinds of turns that are taken, of models/datasets/instructions; None: all.
        unproven: also questions about what experts found, or not, that are not known to be mostly right.
    """

    shares: Shares = field(default_factory=Shares)
    key: str = "tristream"
    unsupported: bool = False
    composed: bool = False
    kinds: frozenset[str] = frozenset()
    licences: tuple[str, ...] = ()
    smallest_px: int = 32
    distinct: bool = False
    most_a_series: int = 0
    most_a_patient: int = 0
    temperature: float = 1.0
    near: int = NEAR
    alike: Alike | None = None
    turns: int = 4
    questions: frozenset[str] | None = None
    unproven: bool = False

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
        if one.image.rows * one.image.columns > MOST_PIXELS:
            return LARGE
        if self.kinds and not self.kinds & one.kinds:
            return KIND
        if not Licences(self.licences).permit(one.provenance.licence if one.provenance else None):
            return LICENCE
        if self.composed and not is_composed(one.authors):
            return WRITTEN
        return UNSUPPORTED if one.unsupported and not self.unsupported else ""

    def thin(self, scan: Scan) -> None:
        """Leave out what is nearly the same, and what is too frequent by series, patient and modality."""
        if self.distinct:
            scan.leave_out_near(self.near, NEARLY)
        if self.most_a_series:
            scan.cap("series", self.most_a_series, CAP)
        if self.most_a_patient:
            scan.cap("grp", self.most_a_patient, CAP_PATIENT)
        if self.temperature < 1:
            counts = scan.modalities()
            least = min(counts.values(), default=1)
            kept = {name: (n / least) ** self.temperature * least / n for name, n in counts.items()}
            scan.thin(lambda triplet_id, modality: _chance(self.key, triplet_id) < kept[modality], THINNED)


def _chance(key: str, name: str) -> float:
    return int.from_bytes(hashlib.blake2b(f"{key}:{name}".encode(), digest_size=7).digest()) / 2**56
