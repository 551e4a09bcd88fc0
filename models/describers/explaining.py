"""What a passage says of the disease that an image's source names, quoted."""

from models.describers.checked import OVERHANG, Budget
from models.describers.choosing import Chosen
from models.knowledge.quoting import quotable
from models.statements.facts import Facts
from models.statements.lexicon import lexicon
from models.statements.measures import box_aspect, contrast_of
from models.statements.rows import STANDS_OUT
from models.statements.table import table
from models.statements.tokens import words
from models.statements.voice import Voice
from schemas.triplets import Statement

_EXPLAINS = (
    "According to “<t>”: “<f>.”",
    "“<t>” states: “<f>.”",
    "As “<t>” states, “<f>.”",
)

_HOW = (" is described by ", " is read by ", " narrow its kind")
"""Of sentences that tell how a reader goes about it: beside an image they say nothing of it."""
_FEATURES = frozenset(
    words(
        "calcification calcifications calcified capsule core cyst cystic cysts enhancement enhances enhancing fat "
        "fluid haemorrhage microcalcifications necrosis necrotic oedema rim septa septum shadow shadowing spiculated "
        "spiculation spicules thickening"
    )
)
"""Things that a passage names and an image may lack."""
_BRIGHT = frozenset({"bright", "brighter", "hyperdense", "hyperechoic", "hyperintense", "echogenic", "dense", "white"})
_DARK = frozenset({"dark", "darker", "hypodense", "hypoechoic", "hypointense", "anechoic", "black"})


def explanation(facts: Facts, chosen: Chosen, seed: str, budget: Budget) -> list[Statement]:
    """What a passage says of the disease that the image's source names.

    What is called a polyp, and no more, may look otherwise than polyps mostly do; and what else an image shows is not
    explained: "normal lung is …" would read as a finding.
    """
    voice = Voice(f"{seed}:knowledge")
    disease = facts.metadata.disease
    explaining = [one for one in quotable(facts.passages) if disease and facts.passages[one[0]].answers == disease]
    explaining = [one for one in explaining if not any(how in one[1] for how in _HOW)]
    explaining = [one for one in explaining if _is_shown(one[1], facts, chosen)]
    explaining = [one for one in explaining if not _is_belied(one[1], facts, chosen)]
    for index, said in voice.shuffled(explaining[:3]):
        title = facts.passages[index].title
        text = voice.spin(voice.pick(_EXPLAINS)).replace("<t>", title).replace("<f>", said)
        if len(text.split()) > budget.left + OVERHANG:
            continue
        evidence = [facts.evidence(f"/passages/{index}/{field}") for field in ("passage_id", "title")]
        return [Statement(text=text, evidence=tuple(item for item in evidence if item))]
    return []


def _is_shown(said: str, facts: Facts, chosen: Chosen) -> bool:
    """Whether a passage is of a look that the finding has, and of nothing that is not named in this image."""
    named = {word for _, region in facts.regions.values() for word in words(region.label)}
    if (_FEATURES & set(words(said))) - named or not chosen.findings:
        return False
    terms = {(one.aspect, one.word) for one in facts.region(chosen.findings[0]).terms}
    told = words(said)
    spans = (told[n : n + length] for n in range(len(told)) for length in (1, 2, 3))
    looks = {one.value for span in spans for one in lexicon().meanings.get(span, ()) if one.kind == "word"}
    return looks <= terms and bool(looks or (_BRIGHT | _DARK) & set(told))


def _is_belied(said: str, facts: Facts, chosen: Chosen) -> bool:
    """Whether what a passage calls dark, taller than wide or irregular is not so here: it would read as false."""
    for region_id in chosen.findings[:1]:
        region = facts.region(region_id)
        shapes = {term.word for term in region.terms if term.aspect == "shape"}
        if "taller than wide" in said and box_aspect(facts, region) > 1:
            return True
        if "irregular" in words(said) and shapes & {"round", "oval"}:
            return True
        _, value = contrast_of(facts, region_id, region, table().scale(facts.metadata.modality).scale)
        here, otherwise = (_BRIGHT, _DARK) if (value or 0.0) > 0 else (_DARK, _BRIGHT)
        if value is not None and abs(value) >= STANDS_OUT and not here & set(words(said)):
            return bool(otherwise & set(words(said)))
    return False
