"""Which experts there are, which fit an image, what they find in it. Knows nothing of how experts are made or run."""

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.experts.adapters import look
from models.experts.annotated import as_annotated, marked
from models.experts.candidates import Candidate, FloatImage, Proposal, lying_in, unmasked
from models.experts.continuations import follow
from models.experts.decodings import Promptable, Volumetric
from models.experts.distributions import distribute
from models.experts.manifest import BrokenExpert
from models.experts.merging import merge
from models.experts.packaged import LIBRARY
from models.experts.places import Within
from models.experts.prompting import prompts
from models.experts.regions import (
    COLOURS_TOLD,
    MEASUREMENT_VERSION,
    Measured,
    intensity,
    measure,
    named,
    whole_image,
    with_probability,
)
from models.experts.relations import relate
from models.experts.running import RUN_ERRORS, Expert, Prompt, Sight
from models.experts.slices import Seen, Slice, beside, look_beside, shown
from models.experts.volumes import Given
from models.statements.table import DIGEST
from schemas.expert_runs import ExpertRun, Unasked
from schemas.experts import ExpertRuntime
from schemas.images import ImageMetadata, SourceAnnotation
from schemas.regions import Box, Embedding, Grounding, Landmark, Opinion, VolumeFinding

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Registry:
    """Experts, in the order of their names, those that others prompt last. Safe to share between threads."""

    experts: tuple[Expert, ...]

    @classmethod
    def load(
        cls, folder: Path = LIBRARY, *, own: Path | None = None, runtime: ExpertRuntime | None = None
    ) -> "Registry":
        """All experts in `folder`, and in `own`, which go before others of their name. Raises BrokenExpert."""
        paths = {path.stem: path for place in (folder, own) if place for path in place.glob("*.toml")}
        experts = [Expert.load(paths[name], runtime) for name in sorted(paths)]
        if not experts:
            raise BrokenExpert("The expert library holds no manifest: run 'make experts'.")
        return cls(tuple(sorted(experts, key=_prompted)))

    def warm_up(self) -> None:
        """Have each expert look at an empty image, so that the first real one does not wait for what is made once."""
        for expert in self.experts:
            if isinstance(expert.manifest.decoding, Volumetric):
                continue
            contract, label = expert.manifest.input, "warm-up"
            side = min(max(256, contract.shortest_side), contract.longest_side)
            image = np.zeros((side, side, 3)[: 2 if contract.channels == 1 else 3], np.float32)
            box = Box(x=0, y=0, width=side, height=side)
            whole = (Prompt(box, label, None, Proposal(label, box)),)
            try:
                look(expert, Sight(image, spacing=(1.0, 1.0), prompts=whole))
            except RUN_ERRORS as error:
                _log.warning(
                    "expert fails on an empty image",
                    extra={"expert": expert.manifest.expert, "error": type(error).__name__},
                )

    @property
    def version(self) -> str:
        """Changes with any manifest, graph and external data, the way regions are measured and the table of words."""
        digest = hashlib.sha256(f"{MEASUREMENT_VERSION} {DIGEST}".encode())
        for expert in self.experts:
            digest.update(expert.manifest.model_dump_json().encode())
            digest.update(expert.weights.encode())
        return f"experts@{digest.hexdigest()[:12]}"

    def ground(
        self,
        values: npt.NDArray[np.float32],
        metadata: ImageMetadata,
        unit: str,
        *,
        inverted: bool = False,
        annotations: tuple[SourceAnnotation, ...] = (),
        neighbours: tuple[FloatImage, ...] = (),
        volume: Given | None = None,
        ran: Callable[[ExpertRun, float], None] = lambda run, seconds: None,
    ) -> Grounding:
        """Regions of one image, at least one: the whole image where no expert fits or none finds anything.

        Those that the source itself marked come first.

        `values`: float32 (rows, columns), or (rows, columns, 3) in RGB, in `unit`. `inverted`: low values are shown
        bright (MONOCHROME1). Of colour, intensities are those of its luma (ITU-R BT.601). An expert that fails costs
        its own regions only. Pixels that were masked as text are in no region and in no measurement.
        `neighbours`: those of `metadata`, in their order, as `values`. Experts that take several slices are given them,
        and regions are followed into them, but those of promptable experts, whose prompts are of this image, and of
        experts of three dimensions, to whom slices are no images.
        `volume`: that of `metadata`. What its `load` raises is raised here.
        `ran` is told of each expert's turn, and the seconds that it took.
        """
        visible = unmasked(values.shape, metadata)
        slices = {0: Slice.of(values, visible), **beside(neighbours, metadata)}
        luma, measured_unit = slices[0].luma, unit if values.ndim == 2 else f"{unit} (luma)"
        colours = values if values.ndim == 3 and metadata.modality in COLOURS_TOLD else None
        marks, marks_run = marked(annotations, values.shape) if annotations else ([], None)
        spacing = (metadata.spacing.row_mm, metadata.spacing.column_mm) if metadata.spacing else None
        told: list[Candidate] = list(marks)
        runs: list[ExpertRun] = []
        unasked: list[Unasked] = []
        found: list[Measured] = []
        within: Within | None = None
        outlines: dict[str | None, Within] = {}
        there: dict[str, dict[int, Seen]] = {}
        solid: list[VolumeFinding] = []
        opinions: list[Opinion] = []
        landmarks: list[Landmark] = []
        embeddings: list[Embedding] = []
        looked: dict[str, str] = {}
        for expert in self.experts:
            contract, name = expert.manifest.input, expert.manifest.expert
            if not expert.manifest.fits(metadata, unit, values.shape):
                continue
            if lacks := expert.manifest.lacks(metadata):
                unasked.append(Unasked(expert=name, lacks=lacks))
                continue
            in_volume = isinstance(expert.manifest.decoding, Volumetric)
            negated = inverted and contract.polarity == "displayed"
            image, around = shown(expert, slices)
            # A candidate whose claim the measurement denied is no region, and nothing to be outlined.
            proposed = [*marks, *(one.candidate for one in found if one.candidate is not None)]
            asked = prompts(expert.manifest, proposed, (values.shape[0], values.shape[1]))
            sight = Sight(image, negated, spacing, asked, around, volume)
            started = time.perf_counter()
            try:
                seen = look(expert, sight)
            except RUN_ERRORS as error:
                # The library's text can quote its input: the class alone is safe to log.
                _log.warning("expert failed", extra={"expert": name, "error": type(error).__name__})
                runs.append(ExpertRun(expert=name, outcome="failed", regions=0))
                ran(runs[-1], time.perf_counter() - started)
                continue
            inside = expert.manifest.inside
            if inside is not None and inside.expert in looked:
                others = (one for one in told if one.expert == looked[inside.expert])
                seen = replace(seen, candidates=lying_in(seen.candidates, others, values.shape, inside.part))
            looked[expert.manifest.name] = name
            outlined = seen.within and seen.within.where(visible)
            if outlined is None:
                outlined = outlines.get(expert.manifest.places_in)
            else:
                outlines[expert.manifest.name] = outlined
            within = within or outlined
            regions = measure(
                seen.candidates,
                luma,
                metadata,
                measured_unit,
                visible,
                within=outlined,
                inverted=inverted,
                colours=colours,
            )
            regions = [with_probability(one, expert.manifest.probability(one.region)) for one in regions]
            solid += seen.volumes
            opinions += seen.opinions
            named_points = [one for one in seen.landmarks if visible is None or visible[int(one.y), int(one.x)]]
            landmarks += named_points
            embeddings += seen.embeddings
            if regions and neighbours and not in_volume and not _prompted(expert):
                there[name] = look_beside(expert, slices, measured_unit, negated=negated, spacing=spacing)
            told += seen.candidates
            found += regions
            outcome = "regions" if regions else "nothing found"
            runs.append(
                ExpertRun(
                    expert=name,
                    outcome=outcome,
                    regions=len(regions),
                    left_out=seen.left_out,
                    opinions=sum(one.told for one in seen.opinions),
                    landmarks=len(named_points),
                    looked_for=expert.manifest.looked_for,
                )
            )
            ran(runs[-1], time.perf_counter() - started)

        found, merged = merge(found, {one.manifest.expert: one.manifest.priority for one in self.experts})
        runs = [
            run.model_copy(update={"regions": run.regions - merged[run.expert], "merged": merged[run.expert]})
            for run in runs
        ]

        sources: list[Measured] = []
        if marks_run is not None:
            run = marks_run
            sources = measure(
                marks, luma, metadata, measured_unit, visible, within=within, inverted=inverted, colours=colours
            )
            sources = [replace(one, region=as_annotated(one.region)) for one in sources]
            masked = run.regions - len(sources)
            runs.insert(0, run.model_copy(update={"regions": len(sources), "left_out": run.left_out + masked}))
        measured = named(sources, found)
        if measured:
            reported = tuple(one.region for one in measured)
        else:
            nothing = "experts outlined nothing" if opinions or landmarks or embeddings else "experts found nothing"
            rule = nothing if runs else "no expert fits this image"
            reported = (whole_image(luma, metadata, measured_unit, rule, visible),)
        return Grounding(
            regions=reported,
            relations=relate(measured, metadata.spacing, inverted, metadata.orientation),
            distributions=distribute(measured, luma, metadata.orientation, measured_unit),
            continuations=follow(measured, there, metadata.neighbours, metadata.spacing),
            volumes=tuple(solid),
            opinions=tuple(opinions),
            landmarks=tuple(landmarks),
            embeddings=tuple(embeddings),
            experts=tuple(runs),
            unasked=tuple(unasked),
            intensity=intensity(luma, visible, measured_unit),
        )


def _prompted(expert: Expert) -> bool:
    return isinstance(expert.manifest.decoding, Promptable)
