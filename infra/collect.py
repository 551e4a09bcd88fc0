"""Outcomes as a running pipeline writes them on its topics: read until every object of some accounts is finished."""

from collections.abc import Callable, Iterator, Mapping

from agents.settings import Settings
from infra.accounting import Accounts
from infra.announce import announce
from infra.results import Result, result_of
from schemas.dead_letters import DeadLetter
from schemas.objects import ObjectReference
from schemas.triplets import Triplet
from streams.payloads import Payloads
from streams.reader import read
from streams.topics import DEAD_LETTERS, TRIPLETS


def outcomes(
    accounts: Accounts,
    settings: Settings,
    *,
    poll: Callable[[], None],
    image: bool = True,
    files: Mapping[str, str] | None = None,
    when_known: Callable[[dict[str, list[str]]], None] = lambda _: None,
) -> Iterator[Result]:
    """What comes of objects, until all are finished by what the caller adds to the accounts.

    Args:
        accounts: which objects; looked at after each outcome.
        settings: of the pipeline.
        poll: called several times a second; may raise to end the wait.
        image: whether triplets are to have their pixels.
        files: the object_id of each file, by its file_id.
        when_known: called once, when all outcomes of earlier runs have been given, with the keys of open dead letters
            that are about earlier contents of the files, by object_id.

    Raises:
        Unavailable: Kafka does not answer.
    """
    payloads = Payloads(settings.wires.payload_url, settings.wires.inline_limit)
    # Dead letters of earlier runs may have been replayed: they count once it is known that none cleared them.
    open_letters: dict[str, DeadLetter] | None = {}
    older: dict[str, str] = {}
    if accounts.complete:
        return
    for record in read(settings.wires, [TRIPLETS, DEAD_LETTERS], follow=True, idle=0.1):
        poll()
        found: list[Triplet | DeadLetter] = []
        if record is None:
            if open_letters is None:
                continue
            found += open_letters.values()
            open_letters = None
        elif record.message is None:
            if open_letters is not None:
                open_letters.pop(record.key, None)
                older.pop(record.key, None)
        elif record.message.object_id in accounts:
            if open_letters is not None and isinstance(record.message, DeadLetter):
                open_letters[record.key] = record.message
            else:
                found.append(record.message)
        elif isinstance(record.message, DeadLetter) and (current := (files or {}).get(record.message.file_id or "")):
            older[record.key] = current
        for outcome in found:
            if isinstance(outcome, Triplet) and image:
                outcome = outcome.model_copy(update={"image": payloads.fetch_now(outcome.image)})
            if (result := result_of(outcome, image=image)) is not None:
                yield result
        if record is None:
            by_object: dict[str, list[str]] = {}
            for key, object_id in older.items():
                by_object.setdefault(object_id, []).append(key)
            when_known(by_object)
        if accounts.complete:
            return


def through_pipeline(
    settings: Settings, *, poll: Callable[[], None], image: bool = True
) -> Callable[[Accounts, Iterator[ObjectReference]], Iterator[Result]]:
    """The way of objects through a running pipeline, for infra.annotate: those that it has not done are announced."""

    def way(accounts: Accounts, references: Iterator[ObjectReference]) -> Iterator[Result]:
        identity, known, files = settings.identity, dict[str, ObjectReference](), dict[str, str]()
        for reference in references:
            object_id = identity.object_id(reference)
            known[object_id], files[identity.file_id(reference)] = reference, object_id
            poll()

        def announce_rest(older: dict[str, list[str]]) -> None:
            announce(settings, (known[object_id] for object_id in accounts.unfinished), older)

        yield from outcomes(accounts, settings, poll=poll, image=image, files=files, when_known=announce_rest)

    return way
