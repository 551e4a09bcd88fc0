"""The claim that a classifier is of an opinion, which says how often such opinions of it were right."""

from dataclasses import dataclass, field

from models.statements.claims.base import Claim
from models.statements.facts import Facts
from models.statements.judgement import Judgement, otherwise, so, untold
from models.statements.tokens import words
from schemas.regions import expert_name


@dataclass(frozen=True, kw_only=True)
class Opinion(Claim):
    """That an expert thinks that the image shows something: not that it does.

    `expert`, `name`: words with one space between. `percent`, `images`: its stated precision, and of how many images.
    """

    kind = "opinion"
    expert: str
    name: str
    percent: float
    images: int
    decimals: int = field(default=0, compare=False)

    def _judge(self, facts: Facts) -> Judgement:
        for index, one in enumerate(facts.grounding.opinions):
            if (" ".join(words(expert_name(one.expert))), " ".join(words(one.label))) != (self.expert, self.name):
                continue
            place = f"/opinions/{index}"
            if not one.told:
                return otherwise("the expert's score is below its threshold", f"{place}/score", f"{place}/threshold")
            if one.precision is None:
                return untold("no precision of that opinion is stated", f"{place}/score")
            apart = abs(self.percent - 100 * one.precision.value)
            if apart > 0.5 * 10**-self.decimals + 1e-9 or self.images != one.precision.images:
                return otherwise("its stated precision is another", f"{place}/precision")
            return so(
                *(f"{place}/{part}" for part in ("expert", "label", "score", "threshold")),
                *(f"{place}/precision/{part}" for part in ("value", "images", "of")),
            )
        return untold("no expert that ran gave an opinion on that")
