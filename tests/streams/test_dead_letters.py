"""When a stage stops because most of its outcomes are dead letters."""

import pytest

from schemas.dead_letters import Origin
from streams.dead_letters import DeadLetterLimit, Subject, dead_letter, subject_key


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def limit(clock: Clock, share: float = 0.5) -> DeadLetterLimit:
    return DeadLetterLimit(share, window=10, pause=60.0, clock=clock)


def test_a_few_bad_inputs_do_not_stop_a_stage() -> None:
    """Below the share, or before there are enough outcomes to speak of a share, the stage runs on."""
    watched = limit(Clock())
    watched.record(dead=True)
    assert not watched.paused
    for number in range(100):
        watched.record(dead=number % 4 == 3)
        assert not watched.paused


def test_a_growing_share_pauses_and_one_message_is_tried() -> None:
    """After the pause one message is tried: if it fails the stage pauses again, if not it runs on."""
    clock = Clock()
    watched = limit(clock)
    for _ in range(5):
        watched.record(dead=True)
    assert watched.paused
    clock.now = 61
    assert not watched.paused
    watched.take()
    assert watched.paused, "only one message is tried"
    watched.record(dead=True)
    assert watched.paused
    clock.now = 122
    watched.take()
    watched.record(dead=False)
    assert not watched.paused


def test_work_in_flight_at_the_pause_decides_nothing() -> None:
    """Good outcomes of messages taken before the pause do not end it."""
    watched = limit(Clock())
    for _ in range(5):
        watched.record(dead=True)
    watched.record(dead=False)
    assert watched.paused


def test_outcomes_that_tell_of_the_input_alone_never_pause_and_never_decide() -> None:
    """However many there are; and of a stage that has paused, the next message is tried at once."""
    clock = Clock()
    watched = limit(clock)
    for _ in range(100):
        watched.record(None)
    assert not watched.paused
    for _ in range(5):
        watched.record(dead=True)
    clock.now = 61
    watched.take()
    watched.record(None)
    assert watched.stopped
    assert not watched.paused
    watched.take()
    watched.record(dead=False)
    assert not watched.stopped


def test_a_share_of_one_never_pauses() -> None:
    """A closed list of inputs is worked through however many are bad."""
    watched = limit(Clock(), share=1.0)
    for _ in range(50):
        watched.record(dead=True)
    assert not watched.paused


@pytest.mark.parametrize(
    ("subject", "key", "replay"),
    [
        (Subject("a" * 32), "a" * 32, "tristream replay --object " + "a" * 32),
        (Subject("a" * 32, frame=4, frames_taken=9), "a" * 32 + "/4", "tristream replay --object " + "a" * 32),
        (Subject(), "objects/3/17", "tristream replay --origin objects/3/17"),
    ],
)
def test_a_dead_letter_says_how_to_replay_it(subject: Subject, key: str, replay: str) -> None:
    """Its key is the piece of work, and its command names the object, or the message where there is none."""
    letter = dead_letter("preprocess", subject, "E", "m", Origin(topic="objects", partition=3, offset=17))
    assert subject_key(letter) == key
    assert letter.replay == replay
