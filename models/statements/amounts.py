"""Phrases of numbers, measures and ratios, generated from the table: a part of the lexicon."""

from collections.abc import Iterator

from models.statements.meanings import Meaning
from models.statements.table import table
from models.statements.tokens import NUMBER_WORDS

_STREWN = (
    "{filled|peppered|dotted|strewn|studded|littered|sprinkled|speckled|covered} with {many|numerous|}",
    "{populated|peopled|strewn} {by|with} {many|numerous|}",
    "{rich|abundant} in {many|numerous|}", "{a|} {multitude|host|crowd|profusion|wealth|scattering} of",
)  # fmt: skip
"""Words by which a noun behind them is of several."""


def number_entries() -> Iterator[tuple[str, Meaning]]:
    """Numbers, units, what was measured, and words for how many and for bounds."""
    for row in table().measures:
        for phrase in (*row.say, *row.read):
            yield phrase, Meaning("measure", row.word)
    for unit, phrases in table().units.items():
        for phrase in phrases:
            yield phrase, Meaning("unit", unit)
    for word, n in NUMBER_WORDS.items():
        yield word, Meaning("numeral", n)
    for word in ("single", "solitary", "sole", "lone", "isolated", "only one", "exactly one", "one single", "just one"):
        yield word, Meaning("how many", 1)
    yield "both", Meaning("how many", 2)
    for word in ("a pair of", "a couple of", "paired", "the pair of"):
        yield word, Meaning("how many", 2)
    for word in (
        "several",
        "multiple",
        "numerous",
        "many",
        "a number of",
        "various",
        "{lots|plenty|dozens} of",
        *_STREWN,
    ):
        yield word, Meaning("how many", None)
    for phrase in (
        "less than",
        "under",
        "below",
        "fewer than",
        "smaller than",
        "shorter than",
        "{at most|<|≤|not exceeding|up to a maximum of|a maximum of}",
        "not more than",
        "no {more|larger|longer|greater} than",
    ):
        yield phrase, Meaning("bound", "below")
    for phrase in (
        "more than",
        "over",
        "above",
        "{exceeding|exceeds|exceed|surpasses|surpassing}",
        "greater than",
        "larger than",
        "{at least|>|≥|upwards of|in excess of|a minimum of|not under|not below}",
        "{no|not} {less|smaller|shorter} than",
        "longer than",
    ):
        yield phrase, Meaning("bound", "above")
    for phrase in (
        "{about|up to|around|≈|±|roughly|approximately|circa|nearly|almost|some|approx|~|ca}",
        "a {good|full|solid}",
        "{close to|not quite|just about|an estimated|something like|in the order of|on the order of|in the region of}",
    ):
        yield phrase, Meaning("about")


_FACTORS = {
    "twice": 2.0, "double": 2.0, "two times": 2.0, "thrice": 3.0, "triple": 3.0,
    "{half|one half|a half}": 0.5, "{a|one} third": 1 / 3, "two thirds": 2 / 3, "{a|one} quarter": 0.25,
    "three quarters": 0.75, "{a|one} fifth": 0.2, "{a|one} tenth": 0.1,
}  # fmt: skip


def ratio_entries() -> Iterator[tuple[str, Meaning]]:
    """What is compared, and the factor; None: it stands before 'times'. A factor below 0 divides."""
    ratios = table().ratios
    for phrase in ratios.longer:
        yield phrase, Meaning("ratio", ("longer", 1.05, 1))
    for phrase in ratios.wider:
        yield phrase, Meaning("ratio", ("wider", 1.03, 1))
    for phrase in ratios.taller:
        yield phrase, Meaning("ratio", ("taller", 0.97, 1))
    for measure, sign, tails in (
        ("area", 1, ratios.area), ("area", -1, ratios.area_turned), ("length", 1, ratios.length),
        ("length", -1, ratios.length_turned), ("itself", 1, ratios.itself), ("box", 1, ratios.upright),
        ("box", -1, ratios.upright_turned), ("level", 1, ratios.level),
    ):  # fmt: skip
        for tail in tails:
            if measure in ("itself", "box") and tail.startswith("as "):
                yield tail, Meaning("ratio", (measure, 1.0, sign))  # "As long as it is wide."
            yield f"times {tail}", Meaning("ratio", (measure, None, sign))
            for word, factor in _FACTORS.items():
                yield f"{word} {tail}", Meaning("ratio", (measure, factor, sign))
