"""What the experts that outline the organ of a picture claim, in words written from the same constants."""

from models.experts.export.definition import Definition, Foreground, Output
from models.experts.export.layers import GRID
from models.experts.export.lesion_definitions import TUNED
from models.experts.export.mammogram import Breast
from models.experts.export.oct import RetinaOct
from models.experts.export.picture_ct import CELL, PictureCt

TWO_MEANS = "two means: Ridler and Calvard, IEEE Trans SMC 8, 1978"

OUTLINES = (
    Definition(
        name="ct-picture",
        version="1.0.0",
        title="Lung in CT of the chest that comes as a picture",
        module=PictureCt(),
        source=(
            "Lungs as air within the body: Hu et al., IEEE Trans Med Imaging 20, 2001; "
            f"{TWO_MEANS}; three means: Lloyd, IEEE Trans Inf Theory 28, 1982; flat grey openings: Serra 1982"
        ),
        modalities=("CT",),
        organs=("chest", "lung"),
        views=("axial",),
        units=("grey level", "stored value"),
        longest_side=256,
        foreground=Foreground("body", min_part_of_largest=0.3),
        outputs=(
            Output(
                name="lung",
                label="lung field",
                rule=(
                    "grey level below midway between the darkest of three levels within the body and that of the ring "
                    f"of {CELL * PictureCt.RING_CELLS} px beneath the skin, {PictureCt.WIDE_PX} px wide or more, gaps "
                    f"of up to {PictureCt.VESSEL_PX} px closed; nothing where {100 * PictureCt.RING:g} % of that ring "
                    "is as dark, as fat is in windows of soft tissue, or where the ground is brighter than "
                    f"{100 * PictureCt.GROUND:g} % of tissue"
                ),
                score="0.5 at that level, 1 at the darkest, mean over the region",
                min_area_fraction=0.01,
                max_regions=4,
                contrast="darker",
            ),
        ),
        limits=(
            "The window is not known, and no HU: air of trachea and bowel counts as lung where it is 1 % of the image.",
            "Consolidated lung and fluid are as bright as tissue: what is left out may be lung.",
            "In windows so narrow that fat is black, fat deep within the body counts as lung.",
            TUNED,
        ),
    ),
    Definition(
        name="mammography-breast",
        version="1.0.0",
        title="The breast in mammograms",
        module=Breast(),
        source=f"Breast against the ground by a threshold near the ground's level; {TWO_MEANS}; openings: Serra 1982",
        modalities=("mammography",),
        polarity="displayed",
        longest_side=256,
        outputs=(
            Output(
                name="outline",
                label="breast outline",
                rule=(
                    f"square root of brightness above the ground by {100 * Breast.GROUND:g} % of the step to the "
                    f"bright class, {GRID * Breast.NARROW_CELLS} px wide or more, gaps of up to "
                    f"{GRID * Breast.FAT_CELLS} px closed; "
                    "the largest such part"
                ),
                score="0.5 at the threshold, 1 at the mean of the bright class, mean over the region",
                min_area_fraction=0.03,
                max_regions=1,
            ),
        ),
        limits=(
            "Assumes the usual presentation: breast brighter than the ground. Pectoral muscle counts as breast.",
            "The nipple, where it is narrower than the opening, and the edge's thin skin are left out.",
            "It knows no mass, no calcification and no density: no rule for them was right often enough.",
        ),
    ),
    Definition(
        name="oct-retina",
        version="1.0.0",
        title="The retina in B-scans of optical coherence tomography",
        module=RetinaOct(),
        source=(
            "Inner and outer bounds of the retina by its brightest lines: Koozekanani, Boyer and Roberts, IEEE Trans "
            f"Med Imaging 20, 2001; {TWO_MEANS}"
        ),
        modalities=("OCT",),
        organs=("retina", "eye"),
        units=("grey level", "stored value"),
        longest_side=256,
        outputs=(
            Output(
                name="band",
                label="retinal band",
                rule=(
                    "from where tissue begins, brighter than the vitreous by "
                    f"{100 * RetinaOct.INNER:g} % of the step between dark and bright, to the brightest line "
                    f"{RetinaOct.DEEP_PX} to {RetinaOct.THICK_PX} px beneath, which runs on from column to column; "
                    f"nothing where that line is uneven by {RetinaOct.UNEVEN_PX:g} px or more, or the retina less than "
                    f"{RetinaOct.BRIGHTER:g} x as bright as what is above it"
                ),
                score="1: it is told as a whole or not at all",
                min_area_fraction=0.02,
                max_regions=1,
            ),
        ),
        limits=(
            "For B-scans with the vitreous above, as instruments export them. The optic disc's cup can be part of it.",
            "Ends at the pigment epithelium: fluid beneath it, and choroid, are left out.",
            "It knows no layers, no fluid and no drusen: no rule for dark spaces was right often enough.",
            TUNED,
        ),
    ),
)
