"""What of the passages that were found may be quoted. Knows nothing of how sentences are made of it."""

from collections.abc import Iterator, Sequence

from models.vocabulary import read_label, terms_in
from schemas.knowledge import FoundPassage


def quotable(passages: Sequence[FoundPassage]) -> Iterator[tuple[int, str]]:
    """Place and first sentence, without its full stop, of each passage that explains what the image names.

    A passage on the image as a whole is never quoted, nor one whose title and first sentence do not name the thing, nor
    one on anatomy, or for an organ alone: how an organ looks, read beside an image, says that this one looks so.
    """
    for place, passage in enumerate(passages):
        if passage.answers is None or passage.kind in ("technique", "anatomy") or _is_structure(passage.answers):
            continue
        first = passage.text.split(". ")[0].rstrip(".")
        if _names(f"{passage.title} {first}".lower(), passage):
            yield place, first


def _is_structure(answers: str) -> bool:
    """Whether what is explained is an organ or a part of it, and no finding."""
    named = read_label(answers).named
    return bool(named) and all(one.term.kind == "structure" for one in named)


def _names(text: str, passage: FoundPassage) -> bool:
    asked = [passage.answers or "", *(one.term.name for one in read_label(passage.answers).named)]
    # What a passage is labelled with and names is what it is about: "tumour" may be asked, and "mass" answered.
    names = [*asked, *passage.diseases, *passage.structures, *passage.regions]
    said = {term.name for term in terms_in(text)}
    return any(name.lower() in text or name in said for name in names if name)
