"""How often labels were right, and how much of what readers marked was found: see docs/experts.md. Knows no torch.

As `make experts-measured` and `make experts-scores` (`DATA=FOLDER`) tell it. Labels that no reader marked have no
row: nothing is known of them.
"""

from models.experts.stated import Calibration, Precision, Recall

LESIONS = "images that all have something marked; for most sets the rule's constants were chosen on a part of them"

BRIGHT_IN_BRAIN = Precision(
    value=0.86,
    images=14,
    regions=43,
    interval=(0.73, 0.97),
    of="MS lesions in FLAIR; constants were chosen on seven of the 14",
)
"""Of both outputs that tell this label."""

PRECISION: dict[str, Precision] = {
    "breast-echo: hypoechoic": Precision(
        value=0.89,
        images=56,
        regions=56,
        interval=(0.80, 0.96),
        of="BUSI, BUS-UC and BUS-BRA, tumours; images that all have something marked; nothing was chosen on BUS-BRA",
    ),
    "ct-head: dense": Precision(
        value=0.68,
        images=62,
        regions=91,
        interval=(0.55, 0.79),
        of=f"MBH-Seg and CT-ICH in a wide window, haemorrhage; {LESIONS}",
    ),
    "ct-picture: lung": Precision(
        value=1.0,
        images=55,
        regions=94,
        interval=(0.93, 1.0),
        of="LungSegDB and Chest CT Segmentation, lungs; constants were chosen on them; on 30 slices of a patient on "
        "whom nothing was chosen, in three windows, 199 of 199",
    ),
    "endoscopy-light: light": Precision(
        value=0.47,
        images=93,
        regions=66,
        interval=(0.34, 0.59),
        of="CVC-ClinicDB, CVC-ColonDB, ETIS-Larib and Kvasir-Sessile, polyps; nothing was chosen on them",
    ),
    "fundus-structures: disc": Precision(
        value=0.94,
        images=48,
        regions=48,
        interval=(0.83, 0.98),
        of="DRIVE and FIVES, optic discs by eye; 48 of 60 pictures have a region",
    ),
    "fundus-vessels: vessel": Precision(
        value=0.88, images=13, regions=16, interval=(0.68, 1.0), of=f"DRIVE and FIVES, vessels; {LESIONS}"
    ),
    "histo-nuclei: stained": Precision(
        value=0.88,
        images=6,
        regions=390,
        interval=(0.36, 0.93),
        of="MoNuSAC and PanNuke, nuclei, some not marked; nothing was chosen on them",
    ),
    "microscopy-cells: cell": Precision(
        value=0.92,
        images=77,
        regions=2017,
        interval=(0.87, 0.95),
        of="DynamicNuclearNet and BBBC038, nuclei; nothing was chosen on them",
    ),
    "mr-brain: hyperintense": BRIGHT_IN_BRAIN,
    "mr-brain: outlier": BRIGHT_IN_BRAIN,
    "mr-brain: asymmetry": Precision(
        value=0.75,
        images=14,
        regions=8,
        interval=(0.57, 1.0),
        of="MS lesions in FLAIR; how the brain is told was chosen on seven of the 14",
    ),
    "mr-composite: hyperintense": Precision(
        value=1.0, images=11, regions=9, interval=(0.66, 1.0), of=f"lower-grade gliomas, colour composites; {LESIONS}"
    ),
    "skin-colour: lesion": Precision(
        value=0.95,
        images=109,
        regions=109,
        interval=(0.92, 0.99),
        of="HAM10000, the half on which nothing was chosen, and ISIC 2017, skin lesions; images that all have "
        "something marked",
    ),
}

RECALL: dict[str, Recall] = {}
"""By expert and output, as above."""

ALL_MARKED = "images that all have something marked"


def _alike(intercept: float, brier: float, images: int, patients: int, regions: int, of: str) -> Calibration:
    """Where scores were not sure to tell right regions from wrong ones: the share of right ones."""
    return Calibration(
        slope=0, intercept=intercept, images=images, patients=patients, regions=regions, brier=brier,
        brier_of_share=brier, of=f"{of}; {ALL_MARKED}",
    )  # fmt: skip


CALIBRATION: dict[str, Calibration] = {
    "breast-echo: hypoechoic region": _alike(1.986, 0.1, 56, 53, 56, "BUSI, BUS-UC and BUS-BRA, tumours"),
    "ct-head: hyperattenuating region": _alike(0.742, 0.221, 62, 35, 91, "MBH-Seg and CT-ICH, haemorrhage"),
    "endoscopy-light: region lighter than the mucosa around it": _alike(
        0.182, 0.249, 108, 58, 75, "CVC-ClinicDB, CVC-ColonDB, ETIS-Larib, Kvasir-SEG and Kvasir-Sessile, polyps"
    ),
    "fundus-vessels: vessel": Calibration(
        slope=52.169,
        intercept=-40.84,
        images=56,
        patients=56,
        regions=72,
        brier=0.047,
        brier_of_share=0.079,
        of="DRIVE, FIVES and HRF, vessels",
    ),
    "histo-nuclei: nucleus-like region": _alike(
        2.875, 0.051, 68, 65, 2526, "MoNuSAC, PanNuke and BBBC038 in colour, nuclei, some not marked"
    ),
    "microscopy-cells: bright cell-like region": Calibration(
        slope=23.991,
        intercept=-17.686,
        images=77,
        patients=75,
        regions=2017,
        brier=0.053,
        brier_of_share=0.077,
        of="DynamicNuclearNet and BBBC038, nuclei",
    ),
    "microscopy-nuclei: nucleus-like region": _alike(
        1.312, 0.203, 75, 73, 163, "BCCD, white blood cells by boxes, and films of leukaemia"
    ),
    "mr-brain: hyperintense region within the brain": _alike(
        -0.107, 0.285, 67, 54, 203, "MS lesions in FLAIR, tumours in T2 and, after contrast, in T1 (BRISC 2025)"
    ),
    "mr-brain: region brighter than the mirrored place": _alike(
        0.0, 0.252, 67, 34, 72, "MS lesions in FLAIR, tumours in T2 and, after contrast, in T1 (BRISC 2025)"
    ),
    "skin-colour: region of other colour than the skin around it": _alike(
        2.862, 0.044, 109, 109, 109, "HAM10000, the half on which nothing was chosen, and ISIC 2017, skin lesions"
    ),
}
"""By expert and label. `chest-lungs` has its own where it is trained; two labels were too rare (docs/experts.md)."""
