"""A corpus of passages, one JSON object a line, in a file or in the files of a folder, read strictly.

Knows nothing of indexes or search.
"""

from pathlib import Path

from pydantic import ValidationError

from schemas.failures import InvalidInput, Unavailable
from schemas.images import MODALITIES
from schemas.knowledge import Passage

STARTER_CORPUS = Path(__file__).parent / "corpus" / "starter"
"""A folder of files, by what their passages are about."""


class InvalidCorpus(InvalidInput):
    """A corpus file that breaks its own rules; the message names the line."""


def read_corpus(path: Path) -> tuple[Passage, ...]:
    """Return the passages of JSON Lines (UTF-8) in the order of `passage_id`. Blank lines are skipped.

    Args:
        path: a file, or a folder, whose `.jsonl` files are one corpus.

    Raises:
        InvalidCorpus: for the first line that is no valid passage; in a folder the message begins with the file's name.
        Unavailable: there is no file to read.
    """
    place_of: dict[str, str] = {}
    passages: list[Passage] = []
    for file in sorted(path.glob("*.jsonl")) if path.is_dir() else [path]:
        of_file = f"{file.name}, " if path.is_dir() else ""
        try:
            lines = file.read_bytes().split(b"\n")
        except OSError as error:
            raise Unavailable("the corpus file cannot be read; check that it exists and who may read it") from error
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                passage = passage_of(line, number)
            except InvalidCorpus as error:
                raise InvalidCorpus(f"{of_file}{error}") from error
            place = f"{of_file}line {number}"
            if passage.passage_id in place_of:
                raise InvalidCorpus(f"{place}: same passage_id as {place_of[passage.passage_id]}; make it unique")
            place_of[passage.passage_id] = place
            passages.append(passage)
    if not passages:
        raise InvalidCorpus("the corpus holds no passage; write one JSON object a line")
    return tuple(sorted(passages, key=lambda passage: passage.passage_id))


def passage_of(line: bytes, number: int) -> Passage:
    """The passage of one line. Raises InvalidCorpus, which names the line by its number."""
    try:
        passage = Passage.model_validate_json(line, strict=True)
    except ValidationError as error:
        place = error.errors(include_input=False, include_url=False)[0]["loc"]
        # The field's name is ours only where the schema knows it; anything else could be text of the corpus.
        fields = [part for part in place[:1] if part in Passage.model_fields]
        what = f"field {fields[0]} is missing or of the wrong type" if fields else "not a JSON object"
        raise InvalidCorpus(f"line {number}: {what}; mend the line by the Passage schema") from error
    for field in ("passage_id", "title", "text", "reference"):
        if not getattr(passage, field).strip():
            raise InvalidCorpus(f"line {number}: field {field} is empty; every passage needs one")
    if not set(passage.modalities) <= set(MODALITIES):
        raise InvalidCorpus(f"line {number}: field modalities names an unknown modality; use {', '.join(MODALITIES)}")
    if any(organ != organ.lower() for organ in passage.organs):
        raise InvalidCorpus(f"line {number}: field organs has a capital letter; write organs in lower case")
    return passage
