"""What of the passages found may be quoted: the first sentence of what explains a thing, and of nothing else."""

import pytest

from models.knowledge import EmbeddedKnowledge, find, questions, quotable
from schemas.images import ImageMetadata
from schemas.knowledge import FoundPassage, PassageKind
from schemas.regions import Grounding, Intensity

CYST = "A simple cyst has no inner echoes. Its back wall is sharp."


@pytest.mark.parametrize(
    ("text", "kind", "diseases", "answers", "quoted"),
    [
        (CYST, "appearance", ["cyst"], "cyst", "A simple cyst has no inner echoes"),
        (CYST, None, ["cyst"], "left kidney cyst", "A simple cyst has no inner echoes"),
        (CYST, "appearance", ["cyst"], None, None),
        (CYST, "technique", ["cyst"], "cyst", None),
        ("Sound is reflected. A cyst is not.", "appearance", ["cyst"], "cyst", None),
        ("The normal cyst is no finding.", "anatomy", ["cyst"], "cyst", None),
        ("A cyst has a wall. It is thin.", "anatomy", ["cyst"], "cyst", None),
        ("The liver is dark when fatty.", "appearance", ["fatty liver"], "liver", None),
        ("A mass takes up space.", "appearance", ["tumour", "mass"], "tumour", "A mass takes up space"),
    ],
)
def test_what_may_be_quoted(
    text: str, kind: PassageKind | None, diseases: list[str], answers: str | None, quoted: str | None
) -> None:
    """A passage that answers something, not on technique or anatomy, whose first words name what it is about."""
    passage = FoundPassage(
        passage_id="p", title="Ultrasound", text=text, reference="A textbook", diseases=tuple(diseases), kind=kind,
        answers=answers, score=1.0,
    )  # fmt: skip
    assert [said for _, said in quotable([passage])] == ([quoted] if quoted else [])


def test_an_image_without_a_finding_quotes_nothing(starter: EmbeddedKnowledge) -> None:
    """Of an image of which only modality and organ are known, passages are found, and none of them is quoted."""
    everywhere = Grounding.model_construct(
        regions=(), intensity=Intensity(minimum=0, maximum=1, mean=0, standard_deviation=0, unit="stored value")
    )
    found = 0
    for modality, organ in (
        ("CT", "liver"), ("CT", "brain"), ("CT", "lung"), ("MR", "brain"), ("MR", "knee"), ("X-ray", "chest"),
        ("ultrasound", "thyroid"), ("ultrasound", "breast"), ("fundus photography", "retina"),
        ("mammography", "breast"), ("endoscopy", "colon"), ("dermoscopy", "skin"), ("histopathology", "colon"),
        ("PET", "brain"),
    ):  # fmt: skip
        metadata = ImageMetadata.model_validate({"source_format": "PNG", "modality": modality, "organ": organ})
        passages = find(starter, questions(metadata, everywhere))
        found += bool(passages)
        assert list(quotable(passages)) == [], (modality, organ)
    assert found >= 10
