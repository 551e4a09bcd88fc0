"""What the experts for the one finding of a picture claim, in words written from the same constants."""

from models.experts.export.breast import BreastEcho
from models.experts.export.composite import MrComposite
from models.experts.export.definition import SCORE, Definition, Foreground, Output, one_finding
from models.experts.export.head import CtHead
from models.experts.export.layers import GRID
from models.experts.export.polyp import EndoscopyLight
from models.experts.export.skin import SkinColour
from models.experts.export.vessels import Vessels

STABLE = (
    "Of the outlines of all thresholds that with the largest step across: after Matas et al., Robust wide baseline "
    "stereo from maximally stable extremal regions, BMVC 2002, and Horsch et al., Med Phys 28, 2001"
)
TUNED = (
    "Constants were chosen on real images with readers' masks: see docs/experts.md for how many, and for how it does."
)

LESIONS = (
    Definition(
        name="skin-colour",
        version="3.0.0",
        title="The lesion of a dermoscopic picture, by its colour",
        module=SkinColour(),
        source=(
            "Closing over hair: Lee et al., DullRazor, Comput Biol Med 27, 1997; colour distance from the skin: Celebi "
            f"et al., Comput Med Imaging Graph 33, 2009. {STABLE}"
        ),
        modalities=("dermoscopy",),
        channels=3,
        longest_side=256,
        outputs=(
            Output(
                name="lesion",
                label="region of other colour than the skin around it",
                rule="after closing over hair, "
                + one_finding(
                    "logarithm of red, green and blue (weights "
                    + ", ".join(f"{one:g}" for one in SkinColour.WEIGHTS)
                    + ") below",
                    "skin, first that towards the border",
                    SkinColour.LEAST,
                )
                + f"; outlined at {100 * SkinColour.PART:g} % of that fall, and at what is usual at least",
                score="0.5 at the outline's level, 1 at twice that, mean over the region",
                min_area_fraction=0.004,
                max_regions=1,
            ),
        ),
        limits=(
            "One lesion a picture, no others beside it. Where there is none, a fold or spot can be taken for one.",
            "Pen marks, rulers and thick hair differ from skin too; what is paler than skin is not found.",
            "A lesion that fills the picture leaves no skin to be held against.",
            TUNED,
        ),
    ),
    Definition(
        name="breast-echo",
        version="1.0.0",
        title="The lesion of an ultrasound image of the breast, by weak echo",
        module=BreastEcho(),
        source=STABLE,
        modalities=("ultrasound",),
        organs=("breast",),
        longest_side=256,
        outputs=(
            Output(
                name="hypoechoic",
                label="hypoechoic region",
                rule=one_finding("square root of grey level below", "tissue of usual echo", BreastEcho.LEAST)
                + f"; outlined at {100 * BreastEcho.PART:g} % of that fall",
                score="0.5 at the outline's level, 1 at twice that, mean over the region",
                min_area_fraction=0.004,
                max_regions=1,
                contrast="darker",
            ),
        ),
        limits=(
            "One lesion an image, of weak echo. Where there is none, shadow or muscle is taken for one.",
            "Shadow below a lesion can be outlined with it; lesions far from the middle can be passed over.",
            TUNED,
        ),
    ),
    Definition(
        name="ct-head",
        version="2.0.0",
        title="What is dense within the skull, in CT that comes as a picture",
        module=CtHead(),
        source=(
            "Acute blood is denser than brain: Bergström et al., J Comput Assist Tomogr 1, 1977. Outline: Chan and "
            "Vese, IEEE Trans. Image Process. 10, 2001, threshold dynamics: Esedoglu and Tsai, J Comput Phys 211, 2006"
        ),
        modalities=("CT",),
        organs=("brain", "head"),
        views=("axial",),
        units=("grey level", "stored value"),
        longest_side=256,
        foreground=Foreground("brain", min_part_of_largest=0.3),
        outputs=(
            Output(
                name="dense",
                label="hyperattenuating region",
                rule=(
                    f"grey level above a smooth surface through the brain by at least {100 * CtHead.FRACTION:g} % of "
                    f"the mean inside an outline kept short (threshold dynamics, sigma {CtHead.SHORT_PX:g} px), where "
                    f"the largest mean nearby (sigma {CtHead.MATCHED_PX:g} px) is at least {CtHead.LEAST:g} x what is "
                    f"usual, more than {CtHead.SKULL_PX // 2} px from bone; outlined to {CtHead.RIM_PX // 2} px of it, "
                    "with bone on three sides of four"
                ),
                score=SCORE,
                min_area_fraction=0.001,
            ),
        ),
        limits=(
            "The window is not known: bone is what reaches 85 % of the largest grey level.",
            "Calcification, choroid plexus and contrast agent are dense too.",
            "Blood of a few px along bone is passed over.",
            "At the skull's base what lies between bones can be taken for brain.",
            TUNED,
        ),
    ),
    Definition(
        name="mr-composite",
        version="1.0.0",
        title="The bright region of the brain in colour composites of MR, in FLAIR",
        module=MrComposite(),
        source=(
            "Composites with FLAIR in green: Buda et al., Comput Biol Med 109, 2019; brain by opening off the scalp: "
            f"Serra 1982. {STABLE}"
        ),
        modalities=("MR",),
        organs=("brain", "head"),
        views=("axial", "coronal"),
        channels=3,
        longest_side=256,
        foreground=Foreground("brain", min_part_of_largest=0.3),
        priority=1,
        outputs=(
            Output(
                name="hyperintense",
                label="hyperintense region within the brain",
                rule=one_finding("green above", "brain of usual signal", MrComposite.LEAST)
                + f", more than {MrComposite.EDGE_PX // GRID * GRID} px inside the brain's outline",
                score="0.5 at the outline's level, 1 at twice that, mean over the region",
                min_area_fraction=0.001,
                max_regions=1,
            ),
        ),
        limits=(
            "Colour images alone: that their green is FLAIR is assumed, not known.",
            "One region an image, at places two that touch; small ones beside a large one are not told.",
            TUNED,
        ),
    ),
    Definition(
        name="endoscopy-light",
        version="1.0.0",
        title="What is lighter than the mucosa around it, as polyps are in the lamp's light",
        module=EndoscopyLight(),
        source=STABLE,
        modalities=("endoscopy",),
        organs=("colon", "rectum", "bowel", "stomach"),
        channels=3,
        longest_side=256,
        outputs=(
            Output(
                name="light",
                label="region lighter than the mucosa around it",
                rule=one_finding(
                    f"logarithm of luma, glare below {EndoscopyLight.GLARE_PX} px opened away, above",
                    "what is usual",
                    EndoscopyLight.LEAST,
                ),
                score="1 within the outline",
                min_area_fraction=0.004,
                max_regions=1,
            ),
        ),
        limits=(
            "One region a picture, or none; a fold near the lamp is light too, and is taken where there is no polyp.",
            "Flat polyps, and those in the shade, are not found.",
            f"Outlined on a grid of {GRID} px of a copy of 256 px.",
            TUNED,
        ),
    ),
    Definition(
        name="fundus-vessels",
        version="3.0.0",
        title="Vessels of the retina, at a finer scale",
        module=Vessels(),
        source=(
            "Lines of several directions: Chaudhuri et al., Detection of blood vessels in retinal images using "
            "two-dimensional matched filters, IEEE Trans Med Imaging 8, 1989"
        ),
        modalities=("fundus photography",),
        channels=3,
        shortest_side=400,
        longest_side=640,
        priority=1,
        foreground=Foreground("field", min_part_of_largest=0.3),
        outputs=(
            Output(
                name="vessel",
                label="vessel",
                rule=(
                    f"green over its neighbourhood (sigma {Vessels.WIDE_PX:g} px): second derivative across lines of "
                    f"sigma {Vessels.WIDTH_PX:g} px, averaged along {Vessels.LENGTH_PX:g} px, the strongest of "
                    f"{Vessels.DIRECTIONS} directions, and {Vessels.DETAIL:g} x what it is darker by than the mean of "
                    f"{Vessels.CELL_PX} x {Vessels.CELL_PX} px; together at least {Vessels.LEAST:g} x the mean size of "
                    "the first in the field"
                ),
                score=SCORE,
                min_area_fraction=0.004,
                max_regions=10,
                contrast="darker",
            ),
        ),
        limits=(
            "Vessels of less than 2 px at 640 px are passed over; the rims of bright lesions can be taken for vessels.",
            "Images below 400 px a side are left to fundus-structures.",
            TUNED,
        ),
    ),
)
