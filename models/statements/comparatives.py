"""Phrases that compare two regions or tell of one as of another: a part of the lexicon."""

from collections.abc import Iterator

from models.statements.meanings import Meaning

_BARE = {
    ("larger than", False): "{larger|bigger|greater|more extensive|more sizeable} {in size|in area|in extent|}",
    ("larger than", True): "{smaller|less extensive|tinier} {in size|in area|in extent|}",
}
"""Comparatives whose other side stands elsewhere: 'compared with r2, r1 is smaller'."""


def compared_entries() -> Iterator[tuple[str, Meaning]]:
    """Comparatives, exceptions and what is said again."""
    for value, phrase in _BARE.items():
        yield phrase, Meaning("compared", value)
    yield "{differs|differ|differed|differing|different}", Meaning("differs", True)
    yield "{hardly|scarcely|barely} {differs|differ|differing|different}", Meaning("differs", False)
    yield "{as well as|along with|together with|in addition to}", Meaning("beside")
    yield "as well", Meaning("neutral")
    yield "{the|} {great|vast|} majority", Meaning("most")
    yield "most of {them|these|those|which}", Meaning("most")
    for phrase in (
        "associated with", "no matter", "{as|} a matter of fact", "cross {section|sections|sectional}", "known as",
    ):  # fmt: skip
        yield phrase, Meaning("neutral")
    yield "{to|in} a {great|large|considerable|certain|fair|good|small|lesser} {extent|degree|part}", Meaning("neutral")
    yield "{turns|turned|turn|comes|came|come|crops|cropped|lights|lit|light|shows|showed|show} up", Meaning("neutral")
    yield "{come|came|comes} {across|upon}", Meaning("neutral")
    yield "{most|very|quite|more than|highly} {likely|probably|probable|possibly}", Meaning("neutral")
    yield (
        "{highest|strongest|greatest|most intense|most marked|most pronounced} {in|within|at}",
        Meaning("peak", "highest"),
    )
    yield "{lowest|weakest|least intense|least marked|least pronounced} {in|within|at}", Meaning("peak", "lowest")
    yield "{echo|signal|density|brightness|intensity} pattern", Meaning("neutral")
    yield "{from top to bottom|from bottom to top|vertically}", Meaning("along", "image down")
    yield "{from left to right|from right to left|horizontally}", Meaning("along", "image right")
    be = "{is|are|was|were|}"
    for phrase in (
        f"{be} {{at least|no less|every bit}} as {{large|big}} as",
        f"{be} {{not|no}} smaller {{in size|in area|}} than",
    ):
        yield phrase, Meaning("relation", ("at least as large as", False))
    for phrase in (
        f"{be} at most as {{large|big}} as",
        f"{be} {{not|no}} {{larger|bigger}} {{in size|in area|}} than",
    ):
        yield phrase, Meaning("relation", ("at least as large as", True))
    yield "{confined|restricted|limited} to", Meaning("neutral")
    yield (
        "{behind|posterior to} the {centre|middle|midpoint} {of the brain|of the body|of the head|}",
        Meaning("place", ("posterior", "high")),
    )
    yield (
        "{in front of|anterior to} the {centre|middle|midpoint} {of the brain|of the body|of the head|}",
        Meaning("place", ("posterior", "low")),
    )
    yield "{on|in|at} {the same|a single|one|one and the same} {side|half|hemisphere|quadrant|third}", Meaning("unread")
    yield "{lies|lie|sits|is|are|} in between", Meaning("unread")
    yield "all but {one|two|three|four|five} of", Meaning("unread")
    yield "{of|in|} {the|a|} {same|similar|identical|equal} colour {as|like|to}", Meaning("unread")
    yield "alike", Meaning("differs", False)
    yield "{raised|elevated|increased|heightened|high}", Meaning("heightened", "high")
    yield "{reduced|decreased|diminished|lowered|low}", Meaning("heightened", "low")
    yield "{higher|stronger|greater} than", Meaning("heightened", "high")
    yield "{lower|weaker|lesser} than", Meaning("heightened", "low")
    yield "{unlike|in contrast to|as opposed to|contrary to}", Meaning("against")
    yield "second", Meaning("ordinal", 2)
    for phrase in (
        "{so|nor|as|and so} {is|are|does|do|has|have}", "the same {is true|holds|applies|goes} {of|for|to}",
        "the same can be said {of|for}", "as is the case {with|for|in}",
    ):  # fmt: skip
        yield phrase, Meaning("again")
    yield "{typical|characteristic|indicative|suggestive|representative} {of|for}", Meaning("neutral")
    yield "{is|are|was|were|} not {only|just|merely|simply}", Meaning("neutral")
    for phrase in (
        "{except|excepting|excluding|save} {for|}",
        "{with|to} the exception of",
        "other than",
        "aside from",
    ):
        yield phrase, Meaning("except")


MUTUAL = {
    "outside": (
        "{are|lie} {separate|apart} {from each other|from one another|}",
        "do not {overlap|intersect}",
    ),
    "similar in size to": (
        "{identical|equivalent} in size",
        "of {about|roughly|nearly|almost|approximately|} identical size",
        "{have|share} {about|nearly|almost|} {the same|equal|similar|identical} {size|area|sizes|areas}",
        "{of|} {about|roughly|nearly|almost|approximately|} the same size",
        "{similar|comparable|equal|alike} in size",
        "of {about|roughly|nearly|almost|very|} {similar|equal|the same|comparable} size",
        "equally {large|big}",
        "{similar|comparable|equal} sizes",
        "a {comparable|similar|equal} {portion|part|share|proportion} of the {image|picture|field|brain|trunk|body}",
        "{comparable|similar|equal} {portions|parts|shares} of the {image|picture|field|brain|trunk|body}",
    ),
    "touching": (
        "touch {each other|one another|}",
        "{are|lie} in contact {with each other|with one another|}",
        "{abut|adjoin|border on} {each other|one another}",
    ),
    "coincides with": (
        "coincide",
        "coincide with {each other|one another}",
        "{are|lie} in the same {place|position|location}",
    ),
    "largely overlapping": (
        "overlap {largely|mostly|substantially|for the most part|to the greater part}",
        "overlap to a {great|large} extent",
        "{largely|mostly|substantially} overlap",
    ),
    "overlapping": ("overlap", "overlap each other", "overlap one another"),
    "same texture as": (
        "{have|has|share|with} {a|the} {similar|same} texture",
        "{similar|alike} in texture",
        "of {similar|the same} texture",
    ),
    "mirror of": ("mirror {each other|one another}", "are symmetric"),
}
"""Relations of two regions that are named together, without 'to'."""
