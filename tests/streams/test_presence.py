"""A worker's word on itself, and another's under its name."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.stages import StageState
from streams.presence import WINDOW, Presence
from streams.settings import Wires


class Working:
    """A worker under a clock of its own."""

    def __init__(self) -> None:
        self.done, self.now = 0, 0.0
        self.presence = Presence(self.state, Wires(), self.send, lambda _: None, lambda: self.now)

    def state(self) -> StageState:
        found = {"worker": "ground/a", "stage": "ground", "state": "running", "in_flight": 0, "dead_letters": 0}
        return StageState.model_validate({**found, "done": self.done, "updated_at": datetime.now(UTC)})

    async def send(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Nowhere."""


@pytest.mark.parametrize(
    ("later", "replaced"), [(timedelta(seconds=1), True), (timedelta(seconds=-1), False)], ids=["younger", "older"]
)
def test_of_two_under_one_name_the_older_is_replaced(later: timedelta, replaced: bool) -> None:
    """Each decides for itself, by when both started, so that exactly one goes."""
    mine, other = Working().presence, Working().presence
    other.started_at = mine.started_at + later
    assert mine.replaced_by(other.word()) is replaced
    assert other.replaced_by(mine.word()) is not replaced
    assert not mine.replaced_by(mine.word()), "its own word comes back to it"


def test_of_two_that_started_at_once_one_goes() -> None:
    """Even then not both, and not neither."""
    mine, other = Working().presence, Working().presence
    other.started_at = mine.started_at
    assert mine.replaced_by(other.word()) is not other.replaced_by(mine.word())


def test_a_rate_is_of_the_last_minute() -> None:
    """Not known at first; then of the window, of which what came before is no part."""
    working = Working()
    assert working.presence.word().per_second is None
    for working.now, working.done in ((0.0, 0), (WINDOW, 6000), (WINDOW + 30, 6015), (2 * WINDOW, 6030)):
        working.presence._note(working.state().done)
    assert working.presence.word().per_second == pytest.approx(0.5)
