"""What the experts of `body` claim, in words written from the same constants."""

from models.experts.export.body import ChestXray, CtFocal, MrBrain, Outliers
from models.experts.export.definition import SCORE, Definition, Foreground, Output, stands_out, stands_out_as_whole
from models.experts.export.layers import GRID

CLIPPED = (
    "Clipped background and detection in its deviations: Bertin and Arnouts, SExtractor, Astron Astrophys Suppl 117, "
    "1996; normalised convolution: Knutsson and Westin, 1993"
)
MATCHED = f"Matched filter: Turin, IRE Trans. Inf. Theory 6, 1960. {CLIPPED}"
OUTLINED = (
    "Outline: Chan and Vese, IEEE Trans. Image Process. 10, 2001, by threshold dynamics: Esedoglu and Tsai, J Comput "
    f"Phys 211, 2006. {MATCHED}"
)
IN_LUNGS = (
    "inside the lung fields, that is, what is shown darker than midway between the means of the trunk's dark and "
    "bright class; the trunk is what has tissue towards the left, right and upper edge"
)

BODY = (
    Definition(
        name="ct-focal",
        version="1.0.0",
        title="Focal attenuation in the soft tissue of CT",
        module=CtFocal(),
        source=f"{CLIPPED}; bands as in Kalender, Computed Tomography, 3rd ed. 2011",
        modalities=("CT",),
        units=("HU",),
        longest_side=256,
        foreground=Foreground("tissue", min_part_of_largest=0.2, margin=0.02),
        outputs=(
            Output(
                name="low",
                label="hypoattenuating region",
                rule=stands_out("smoothed HU below", CtFocal.WIDE_PX, CtFocal.LEAST)
                + f", in soft tissue ({CtFocal.LOW_HU:g} to {CtFocal.HIGH_HU:g} HU) away from fat, gas and bone",
                score=SCORE,
                contrast="darker",
            ),
            Output(
                name="high",
                label="hyperattenuating region",
                rule=stands_out("smoothed HU above", CtFocal.WIDE_PX, CtFocal.LEAST)
                + f", in soft tissue ({CtFocal.LOW_HU:g} to {CtFocal.HIGH_HU:g} HU) away from fat, gas and bone",
                score=SCORE,
                contrast="brighter",
            ),
        ),
        limits=(
            "Vessels, bowel content and the borders of organs stand out as well, above all after contrast agent.",
            "What lies within 2 % of the image's longest side of the body wall's fat is not looked at.",
        ),
    ),
    Definition(
        name="mr-brain",
        version="4.0.0",
        title="Bright outliers and asymmetry within the brain",
        module=MrBrain(),
        source=f"{OUTLINED}; brain by opening off the scalp: Serra 1982",
        modalities=("MR",),
        organs=("brain", "head"),
        views=("axial", "coronal"),
        channels=3,
        grey_as_colour=True,
        longest_side=256,
        foreground=Foreground("brain", min_part_of_largest=0.3),
        outputs=(
            Output(
                name="hyperintense",
                label="hyperintense region within the brain",
                rule=stands_out_as_whole(
                    "smoothed signal above",
                    MrBrain.WIDE_PX,
                    MrBrain.MATCHED_PX,
                    MrBrain.LEAST,
                    MrBrain.FRACTION,
                    MrBrain.SHORT_PX,
                )
                + f", that peak more than {MrBrain.CORTEX_PX} px inside the brain's outline, and it "
                f"{MrBrain.DEEP_PX} px; more than {Outliers.REACH_PX // 2} px from what is far brighter than most",
                score=SCORE,
                contrast="brighter",
            ),
            Output(
                name="outlier",
                label="hyperintense region within the brain",
                rule=(
                    f"smoothed signal (sigma {Outliers.SMOOTH_PX:g} px) above the brain's median by at least "
                    f"{Outliers.LEAST:g} x its deviation (1.4826 x the median one) and by {100 * Outliers.FRACTION:g} "
                    f"% of the largest within {Outliers.REACH_PX // 2} px, where that is {Outliers.SEED:g} x that "
                    f"deviation, more than {MrBrain.EDGE_PX + Outliers.EDGE_PX} px inside the brain's outline; nothing "
                    f"where the median to {Outliers.RIM_PX} px inside it is above the brain's by "
                    f"{Outliers.BRIGHT_RIM:g} x the deviation"
                ),
                score=SCORE,
                min_area_fraction=0.00008,
                contrast="brighter",
            ),
            Output(
                name="asymmetry",
                label="region brighter than the mirrored place",
                rule=stands_out_as_whole(
                    "smoothed signal, less that of the place mirrored about the brain's middle column where that "
                    "stands out too, above",
                    MrBrain.WIDE_PX,
                    MrBrain.MATCHED_PX,
                    MrBrain.LEAST_ASYMMETRY,
                    MrBrain.FRACTION,
                    MrBrain.SHORT_PX,
                )
                + f", that peak more than {MrBrain.CORTEX_PX} px inside the brain's outline, and it "
                f"{MrBrain.EDGE_PX} px",
                score=SCORE,
                contrast="brighter",
            ),
        ),
        limits=(
            "What lies in the cortex alone is passed over: it is brighter than white matter in some sequences.",
            "At the skull's base muscle and the orbits are taken for brain: the skull is no dark ring there.",
            "The middle is the column through the brain's centroid: a tilted head is compared with the wrong place.",
            "What crosses the midline is compared with itself. In T2, fluid is an outlier.",
            "Of colour images it takes the luma; where colours differ as in composites of sequences it tells nothing.",
        ),
    ),
    Definition(
        name="xray-chest",
        version="5.0.0",
        title="What is bright in the lung fields of frontal chest radiographs",
        module=ChestXray(),
        source=f"Two classes: Ridler and Calvard, IEEE Trans. SMC 8, 1978. {OUTLINED}",
        modalities=("X-ray",),
        organs=("chest", "lung"),
        views=("AP", "PA"),
        polarity="displayed",
        longest_side=256,
        foreground=Foreground("trunk", min_part_of_largest=0.3),
        inside=("chest-lungs", 0.8),
        outputs=(
            Output(
                name="opacity",
                label="opacity in a lung field",
                rule=stands_out_as_whole(
                    "smoothed value shown brighter than",
                    ChestXray.WIDE_PX,
                    ChestXray.MATCHED_PX,
                    ChestXray.LEAST,
                    ChestXray.FRACTION,
                    ChestXray.SHORT_PX,
                )
                + f", what is narrower than {GRID * ChestXray.RIB_CELLS} px not counted, {IN_LUNGS}",
                score=SCORE,
                min_area_fraction=0.001,
                contrast="brighter",
            ),
            Output(
                name="asymmetry",
                label="region brighter than in the other lung field",
                rule=stands_out_as_whole(
                    "smoothed value, less that of the place mirrored about the trunk's middle column where that stands "
                    "out too, shown brighter than",
                    ChestXray.WIDE_PX,
                    ChestXray.MATCHED_PX,
                    ChestXray.LEAST_ASYMMETRY,
                    ChestXray.FRACTION,
                    ChestXray.SHORT_PX,
                )
                + f", what is narrower than {GRID * ChestXray.RIB_CELLS} px not counted, {IN_LUNGS}",
                score=SCORE,
                min_area_fraction=0.001,
                contrast="brighter",
            ),
        ),
        limits=(
            "Ribs, vessels and the hila are brighter than lung too; outside of chest-lungs' outlines nothing is told.",
            "An opacity as bright as the chest wall is a gap in the field, and not inside it.",
            "The heart is on one side: the mirrored place is outside the lung there, and counts as level.",
            "Narrow opacities are taken for ribs or vessels.",
        ),
    ),
)
