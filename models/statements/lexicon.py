"""Phrases and what they mean, generated from the table and the vocabulary. Knows nothing of sentences."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from models.statements.amounts import number_entries, ratio_entries
from models.statements.comparatives import MUTUAL, compared_entries
from models.statements.meanings import Lexicon, Meaning
from models.statements.table import table
from models.statements.tokens import PLACE_NOUNS, inflected, plural, spelled_out, with_other_nouns, words
from models.vocabulary import TERMS, Term


def naming(pattern: str) -> Iterator[tuple[str, Meaning]]:
    """A name of regions, in the singular and the plural."""
    for phrase in (one for spelled in spelled_out(pattern) for one in with_other_nouns(spelled)):
        name = " ".join(words(phrase))
        yield phrase, Meaning("finding", name)
        yield plural(phrase), Meaning("finding", name, several=True)
        noun = name.rpartition(" ")
        if noun[0] and noun[2] in PLACE_NOUNS:  # "An eosin-rich area and two blue-stained ones."
            yield f"{noun[0]} one", Meaning("finding", name)
            yield f"{noun[0]} ones", Meaning("finding", name, several=True)


@lru_cache(maxsize=256)
def own(labels: frozenset[str], experts: frozenset[str] = frozenset()) -> Lexicon:
    """Names that one image adds: labels of own experts, sides of organs, and the experts that ran."""
    return Lexicon.of(
        (*(entry for label in labels for entry in naming(label)), *(entry for one in experts for entry in _called(one)))
    )


_KINDS_OF_EXPERT = "{expert|expert model|model|network|detector|rule|algorithm|expert system}"


def _called(expert: str) -> Iterator[tuple[str, Meaning]]:
    """An expert by its own name: 'the expert ct-head', 'ct-head'."""
    name = " ".join(words(expert))
    for phrase in (
        f"{{the|an|}} {_KINDS_OF_EXPERT} {{named|called|}} {name}", f"{{the|}} {name} {_KINDS_OF_EXPERT}", name,
    ):  # fmt: skip
        yield phrase, Meaning("expert", expert)


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """All phrases of the table."""
    return Lexicon.of(_entries())


_COMPARATIVE = re.compile(
    r"(?:^|\s)(?:more|less|higher|lower|greater|lesser|stronger|weaker|\w+er|taking|as|same|equal\w*)\b"
)
_UTTER = {"anechoic"}
"""Words for the end of a scale: what stands out slightly is not so."""
_ENDS = (" than", " to", " as")


_OF = {
    "high": "{more|higher|greater|stronger|increased|elevated|raised|heightened}",
    "low": "{less|lower|lesser|weaker|decreased|reduced|diminished|lowered|fewer}",
    "alike": "{the|} {same|similar|equal|identical|comparable|equivalent}",
}
"""Words before what there is more, less or as much of: 'less signal'."""


def _bare(phrase: str) -> str:
    for end in _ENDS:
        phrase = phrase.removesuffix(end)
    return phrase


def _entries() -> Iterator[tuple[str, Meaning]]:
    yield from _image_entries()
    yield from _name_entries()
    yield from _level_entries()
    yield from _place_entries()
    yield from number_entries()
    yield from ratio_entries()
    yield from compared_entries()
    for word in table().neutral.words.split():
        yield word, Meaning("neutral")
    for verb in table().neutral.verbs.split():
        for form in inflected(verb):
            yield form, Meaning("neutral")
    for kind, phrases in (
        ("marks", table().marks),
        ("source", table().sources),
        ("around", table().around),
        ("not", table().negations),
        ("no", table().denials),
        ("absent", table().absent),
        ("untrue", table().untrue),
        ("candidate", ("{candidate|candidates}",)),
        ("proposed", table().proposed),
    ):
        for phrase in phrases:
            yield phrase, Meaning(kind)


def _image_entries() -> Iterator[tuple[str, Meaning]]:
    for row in table().modalities:
        for phrase in (*row.say, *row.slices, *row.bare, *row.read):
            yield phrase, Meaning("modality", row.word)
    for phrase in table().localizers:
        yield phrase, Meaning("localizer")
    for row in table().planes:
        for phrase in (*row.say, *row.clause, *row.read):
            yield phrase, Meaning("plane", row.word)
    for row in table().weightings:
        for phrase in (*row.say, *row.read):
            yield phrase, Meaning("weighting", row.word)
    for row in table().views:
        for phrase in (*row.say, *row.clause, *row.read):
            yield phrase, Meaning("view", row.word)
    for row in table().agents:
        for phrase in (*row.say, *row.clause, *row.read):
            yield phrase, Meaning("agent", row.given)


def _name_entries() -> Iterator[tuple[str, Meaning]]:
    for row in table().labels:
        for pattern in (row.label, *row.say, *row.read):
            yield from naming(pattern)
    for organ, phrases in table().organs.items():
        for phrase in phrases:
            yield phrase, Meaning("organ", organ, several=phrase in (f"{organ}s", "ovaries", "testes"))
    for term in TERMS.values():
        if term.kind not in ("structure", "judgement"):
            yield from _term_entries(term)
    for phrase in (
        "{healthy|normal|unremarkable|no abnormality|no abnormalities|no finding|no findings|no disease|disease free}",
        "{without disease|cancer free|tumour free|free of disease|free from disease}",
        "{does not|do not|did not} {label|name|give|state|tell|report} {any|a} disease",
    ):
        yield phrase, Meaning("disease", "healthy")
    yield "{without|no|free of|free from} {any|} {sign of|signs of|evidence of|} disease", Meaning("disease", "healthy")
    yield "as {the|its|} disease", Meaning("neutral")
    yield "{the|its} disease {is|given is|named is|told is}", Meaning("neutral")
    for row in table().spreads:
        for phrase in (row.word, *row.read):
            yield phrase, Meaning("spread", row.word)
    for row in table().crowdings:
        for phrase in (*row.say, *row.read):
            yield phrase, Meaning("crowding", row.word)
    for row in table().gradients:
        for phrase in (*row.say, *row.read):
            yield phrase, Meaning("gradient", row.word)


def _term_entries(term: Term) -> Iterator[tuple[str, Meaning]]:
    """A disease is of the image; a finding is of a region, and where it has a place of its own, of the image too."""
    name = " ".join(words(term.name))
    for phrase in dict.fromkeys((term.name, *(" ".join(one).lower() for one in term.phrases))):
        if term.kind == "disease" or (term.kind == "finding" and term.structure is not None):
            yield phrase, Meaning("disease", term.name)
            yield plural(phrase), Meaning("disease", term.name, several=True)
        if term.kind != "disease":
            yield phrase, Meaning("finding", name)
            yield plural(phrase), Meaning("finding", name, several=True)


def _level_entries() -> Iterator[tuple[str, Meaning]]:
    for row in table().terms:
        for phrase in row.having:
            yield phrase.removeprefix("an ").removeprefix("a "), Meaning("word", (row.aspect, row.word))
        for phrase in row.of_edges:
            yield phrase, Meaning("edged", (row.aspect, row.word))
        for phrase in (*row.say, *row.read, row.word):
            for one in spelled_out(phrase):
                yield one, Meaning("word", (row.aspect, row.word))
                for start in ("of ", "with "):
                    if one.startswith(start):
                        yield one.removeprefix(start), Meaning("word", (row.aspect, row.word))
    for scale in table().scales:
        for direction, names in (
            ("high", (scale.high, *scale.read_high, *scale.more)),
            ("low", (scale.low, *scale.read_low, *scale.less)),
            ("alike", (scale.alike, *scale.read_alike, *scale.same)),
        ):
            yield from _leveled(scale.scale, direction, names)
            yield from _leveled(scale.scale, direction, (f"{_OF[direction]} {noun}" for noun in scale.nouns))
        # "Uptake in r1 is higher than in r2."
        for phrase in (
            "{higher|greater|stronger} than {in|that of|that in}", "more than in",
            "{above|exceeds|exceeding|surpasses} {that of|that in}",
        ):  # fmt: skip
            yield phrase, Meaning("level", (scale.scale, "high", "more"))
        for phrase in (
            "{lower|lesser|weaker} than {in|that of|that in}",
            "less than in",
            "{below|under} {that of|that in}",
        ):
            yield phrase, Meaning("level", (scale.scale, "low", "more"))
    shown = table().shown
    for direction, names in (("high", shown.high), ("low", shown.low), ("alike", shown.alike)):
        yield from _leveled("shown", direction, names)
    for degree, names in (("slightly", table().degrees.slightly), ("plainly", table().degrees.plainly)):
        for phrase in names:
            yield phrase, Meaning("degree", degree)
    for row in table().ranks:
        for phrase in row.say + row.read:
            yield phrase, Meaning("rank", row.word)


def _leveled(scale: str, direction: str, names: Iterable[str]) -> Iterator[tuple[str, Meaning]]:
    for pattern in names:
        for phrase in spelled_out(pattern):
            bare = _bare(phrase)
            degree = "more" if direction != "alike" and _COMPARATIVE.search(bare) else ""
            degree = "plainly" if bare in _UTTER else degree
            if bare.startswith("as "):
                for pattern in (
                    f"{{is|are|was|were|}} not {{nearly|quite|anywhere near|}} {{as|so}} {bare.removeprefix('as ')}",
                ):
                    yield from ((one, Meaning("level", (scale, "low", "more"))) for one in spelled_out(pattern))
            for one in dict.fromkeys((bare, bare.removeprefix("of "))):
                yield one, Meaning("level", (scale, direction, degree))


def _place_entries() -> Iterator[tuple[str, Meaning]]:
    for row in table().places:
        for end, names in (("low", (*row.low, *row.read_low)), ("high", (*row.high, *row.read_high))):
            for name in names:
                yield name, Meaning("place", (row.axis, end))
    for name in table().placing.middle:
        yield name, Meaning("place", ("*", "middle"))
    for name in table().placing.midline:
        yield name, Meaning("place", ("patient left", "middle"))
    for middle, axis in ((table().placing.middle, "*"), (table().placing.midline, "patient left")):
        for name in middle:
            yield f"{{away from|off|remote from|not in|outside}} {{the|}} {name}", Meaning("place", (axis, "off"))
    yield "{off centre|eccentric|eccentrically}", Meaning("place", ("*", "off"))
    for row in table().relations:
        for phrase in (*row.say, *row.read):
            yield phrase, Meaning("relation", (row.predicate, False))
        for phrase in (*row.turned, *row.read_turned):
            yield phrase, Meaning("relation", (row.predicate, True))
        for phrase in row.outside:
            yield phrase, Meaning("relation", ("outside", False))
    for predicate, phrases in MUTUAL.items():
        for phrase in phrases:
            yield phrase, Meaning("mutual", predicate)
    for phrase in (
        "bilateral",
        "bilaterally",
        "both {sides|hemispheres}",
        "on both sides",
        "on either side",
        "{each|either} {side|hemisphere}",
    ):
        yield phrase, Meaning("sides")
    for row in table().shares:
        for phrase in (*row.say, *row.adjectives, *row.read):
            yield phrase, Meaning("share", row.word)
            yield phrase.removesuffix(" of"), Meaning("share", row.word)
    filled = (*(one for phrases in table().organs.values() for one in phrases), "image", "picture", "sector", "body")
    for phrase in filled:
        yield (
            f"{{fills|occupies|covers|takes up}} {{the|all of the|the whole|the entire}} {phrase}",
            Meaning("share", "whole"),
        )
    for row in table().ways:
        for phrase in row.say:
            yield phrase, Meaning("way", row.word)
    for row in table().outcomes:
        for phrase in (*row.say, *row.read):
            yield f"{phrase} the next {{slice|slices}}", Meaning("goes on", row.word)
    for row in table().parts:
        for phrase in (*row.say, *row.read):
            yield phrase, Meaning("pieces")
    for row in table().experts:
        for phrase in row.say:
            yield phrase, Meaning("expert", row.name)
        yield from _called(row.name)
    yield "{the|an|one of the|} {expert|experts|expert model|expert models}", Meaning("expert", "expert")
    yield "{the|a} {network|neural network|detection model|segmentation model}", Meaning("expert", "expert")
    yield "by the source itself", Meaning("source")
