"""Made-up patients in every text, date and UID of real files: none of them comes out."""

import pytest

from benchmarks.deidentify import POLICIES, Found, check
from benchmarks.identities import Kind, images, plant, seen_in
from models.imaging import FramePolicy, burned_in, open_source
from models.imaging.deidentify import Policy
from models.imaging.text import Box
from models.imaging.text import Found as Text

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.mark.parametrize(("policy", "kinds"), POLICIES)
def test_no_planted_identity_gets_through(
    policy: Policy, kinds: tuple[Kind, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in copies, their names, the report, errors and logs, nor in what the pipeline says of an image."""
    # Nothing is planted in pixels, and the detector takes seconds for a picture; so every file is one that is masked.
    text = Text((Box(2, 2, 8, 8, 1.0),), complete=True)
    monkeypatch.setattr(burned_in, "find_text", lambda *_, usual=None: text)
    sources, found = images(), Found()
    start = POLICIES.index((policy, kinds))
    files = [
        plant(source, 1000 + number, frames=8) for number, source in enumerate(sources[start :: len(sources) // 13])
    ]
    check(files, policy, kinds, found)
    assert found.leaks == []
    assert found.copied == found.files == len(files) >= 13
    assert found.described > found.files // 2
    assert found.tokens > 60 * found.files


def test_the_search_finds_what_is_there() -> None:
    """A planted file itself holds nearly all of its tokens, the same ones for the same seed."""
    source = images()[0]
    first, second = plant(source, 7), plant(source, 7)
    assert first.data == second.data
    assert first.identity.tokens == second.identity.tokens
    assert (
        plant(source, 8)
        .identity.tokens.keys()
        .isdisjoint(token for token, kind in first.identity.tokens.items() if kind in ("text", "uid"))
    )
    seen = seen_in(first.data) | seen_in(first.name.encode())
    assert first.identity.tokens.keys() - seen == set()
    assert next(open_source(first.data, FramePolicy("spread", 1)).frames()).metadata.source_format == "DICOM"
