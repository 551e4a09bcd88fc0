"""Who looked at an image and what came of it: runs of experts, their regions, and what they look for."""

from models.statements.facts import Facts, names_of
from models.statements.table import table
from schemas.expert_runs import ExpertRun, LabelPrecision, LabelRecall, LookedFor
from schemas.regions import Region, expert_name


def runs_of(facts: Facts, by: str) -> list[tuple[int, ExpertRun]]:
    """Runs with their places: of one expert by its name, or of all ("expert"); the source is none of them."""
    return [
        (n, run)
        for n, run in enumerate(facts.grounding.experts)
        if run.expert != "source" and by in ("expert", expert_name(run.expert))
    ]


def regions_by(facts: Facts, by: str, name: str) -> tuple[str, ...]:
    """Regions by the source, by any expert or by one, of those called so; of those of any name where that is empty."""
    return tuple(
        one
        for one, (_, region) in facts.regions.items()
        if (not name or name in facts.names[one])
        and (
            (region.kind == "source annotation") == (by == "source")
            if by in ("source", "expert")
            else by in {expert_name(expert) for expert in (region.expert, *region.agreeing)}
        )
    )


def beside_those(facts: Facts, by: str, name: str = "") -> tuple[int, int]:
    """How many regions were left out, and how many merged with others, that the same outlined and may be called so."""
    if by == "source":
        return facts.metadata.annotations_left_out or 0, 0
    runs = [run for _, run in runs_of(facts, by) if not name or _may_outline(facts, run, name)]
    return sum(run.left_out for run in runs), sum(run.merged for run in runs)


def sought(run: ExpertRun) -> frozenset[str]:
    """Names of all that an expert looks for."""
    labels = {one.label for one in run.looked_for}
    labels |= {row.label for row in table().labels if row.expert == expert_name(run.expert)}
    return frozenset(name for label in labels for name in names_of(label))


SURE = 0.8
"""Least part, by the 95 % interval, that an expert has right or finds before it is taken at its word."""


def stated_of(facts: Facts, expert: str, label: str) -> LookedFor | None:
    """What the manifest of an expert, by name@version, states of a label; None: nothing was measured of it."""
    turns = (one for run in facts.grounding.experts if run.expert == expert for one in run.looked_for)
    return next((one for one in turns if one.label == label), None)


def is_sure(facts: Facts, region: Region) -> bool:
    """Whether the source marked a region, or an expert whose regions of that label are mostly right."""
    if region.kind == "source annotation":
        return True
    stated = (stated_of(facts, expert, region.label) for expert in (region.expert, *region.agreeing))
    return not is_doubtful(region) and any(one is not None and is_enough(one.precision) for one in stated)


def is_doubtful(region: Region) -> bool:
    """Whether its own score tells that it is too likely wrong, however often its expert is right."""
    return region.probability is not None and region.probability < SURE


def is_enough(measured: LabelPrecision | LabelRecall | None) -> bool:
    """Whether a precision or a recall is sure to be so high that an expert is taken at its word."""
    return measured is not None and measured.interval is not None and measured.interval[0] >= SURE


def _may_outline(facts: Facts, run: ExpertRun, name: str) -> bool:
    """Whether what is called so can be of this run: it looks for that, outlines that, or tells nothing of either."""
    outlined = [facts.names[one] for one, (_, region) in facts.regions.items() if region.expert == run.expert]
    known = sought(run).union(*outlined)
    return not known or name in known
