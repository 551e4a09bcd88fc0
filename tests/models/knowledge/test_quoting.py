"""What of the passages found may be quoted: the first sentence of what explains a thing, and of nothing else."""

import pytest

from models.knowledge import quotable
from schemas.knowledge import FoundPassage, PassageKind

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
        ("A cyst has a wall. Normally none is seen.", "anatomy", ["cyst"], "cyst", "A cyst has a wall"),
        ("A mass takes up space.", "appearance", ["tumour", "mass"], "tumour", "A mass takes up space"),
    ],
)
def test_what_may_be_quoted(
    text: str, kind: PassageKind | None, diseases: list[str], answers: str | None, quoted: str | None
) -> None:
    """A passage that answers something, not on technique or the normal, whose first words name what it is about."""
    passage = FoundPassage(
        passage_id="p", title="Ultrasound", text=text, reference="A textbook", diseases=tuple(diseases), kind=kind,
        answers=answers, score=1.0,
    )  # fmt: skip
    assert [said for _, said in quotable([passage])] == ([quoted] if quoted else [])
