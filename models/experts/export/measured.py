"""How often labels were right, and how much of what readers marked was found: see docs/experts.md. Knows no torch.

As `make experts-measured DATA=FOLDER` tells it. Labels that no reader marked have no row: nothing is known of them.
"""

from models.experts.stated import Precision, Recall

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
        value=1.0, images=20, regions=20, interval=(0.83, 1.0), of=f"BUSI and BUS-UC, tumours; {LESIONS}"
    ),
    "ct-head: dense": Precision(
        value=0.70, images=10, regions=23, interval=(0.38, 0.89), of=f"CT slices of eight heads, haemorrhage; {LESIONS}"
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
        value=0.98,
        images=10,
        regions=314,
        interval=(0.97, 1.0),
        of="DynamicNuclearNet, nuclei; nothing was chosen on them",
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
        value=0.75, images=4, regions=4, interval=(0.25, 1.0), of=f"ISIC 2017, skin lesions; {LESIONS}"
    ),
}

RECALL: dict[str, Recall] = {}
"""By expert and output, as above."""
