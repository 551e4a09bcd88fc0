"""What a passage says of the disease or a finding that an image names, quoted. Knows nothing of what is seen."""

from models.describers.checked import OVERHANG, Budget
from models.describers.choosing import Chosen
from models.knowledge.quoting import quotable
from models.statements.facts import Facts
from models.statements.tokens import words
from models.statements.voice import Voice
from schemas.triplets import Statement

_EXPLAINS = (
    "According to “<t>”: “<f>.”",
    "{For reference|In general|As background}: “<f>.”",
    "“<t>” {explains|states}: “<f>.”",
    "As “<t>” states, “<f>.”",
    "“<f>”, {as|so} “<t>” {states|explains}.",
)

_GRAVE = frozenset(
    {"malignant", "malignancy", "cancer", "cancerous", "carcinoma", "suspicious", "metastasis", "melanoma"}
)


def explanation(facts: Facts, chosen: Chosen, seed: str, budget: Budget) -> list[Statement]:
    """What a passage says of the disease or a finding that the image names.

    What else an image shows is not explained: "normal lung is …" would read as a finding.
    """
    voice = Voice(f"{seed}:knowledge")
    named = {facts.metadata.disease, *(facts.region(one).label for one in chosen.findings)}
    explaining = [one for one in quotable(facts.passages) if facts.passages[one[0]].answers in named]
    if facts.metadata.disease is None:
        # What is called a tumour, and no more, would read as a malignant one.
        explaining = [one for one in explaining if not _GRAVE & set(words(one[1]))]
    # The disease before what is seen of it: a glioma is explained rather than the tumour that it is.
    disease = facts.metadata.disease
    for index, said in sorted(
        voice.shuffled(explaining[:3]), key=lambda one: facts.passages[one[0]].answers != disease
    ):
        title = facts.passages[index].title
        text = voice.spin(voice.pick(_EXPLAINS)).replace("<t>", title).replace("<f>", said)
        if len(text.split()) > budget.left + OVERHANG:
            continue
        evidence = [facts.evidence(f"/passages/{index}/{field}") for field in ("passage_id", "title")]
        return [Statement(text=text, evidence=tuple(item for item in evidence if item))]
    return []
