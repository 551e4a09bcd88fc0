"""What the experts of `pictures` claim, in words written from the same constants."""

from models.experts.export.body_definitions import CLIPPED, OUTLINED
from models.experts.export.bright_field import StainedNuclei
from models.experts.export.definition import SCORE, Definition, Foreground, Output, stands_out, stands_out_as_whole
from models.experts.export.nuclei import Nuclei, Stained
from models.experts.export.pictures import Cells, EndoscopyColour, Fundus

MANY = 50

PICTURES = (
    Definition(
        name="histo-nuclei",
        version="4.0.0",
        title="Nuclei by their haematoxylin",
        module=Nuclei(),
        source=(
            "Ruifrok and Johnston, Quantification of histochemical staining by color deconvolution, Anal Quant Cytol "
            f"Histol 23, 2001. Energy detector: Urkowitz, Proc IEEE 55, 1967. {OUTLINED} Blobs: Lindeberg, Int J "
            "Comput Vis 30, 1998."
        ),
        modalities=("histopathology",),
        channels=3,
        longest_side=1024,
        spacing_mm=0.0005,
        outputs=(
            Output(
                name="nucleus",
                label="nucleus-like region",
                rule=stands_out_as_whole(
                    "smoothed haematoxylin density above",
                    Nuclei.WIDE_PX,
                    Nuclei.MATCHED_PX,
                    Nuclei.LEAST,
                    Nuclei.FRACTION,
                    Nuclei.SHORT_PX,
                )
                + (
                    f", and the energy of what is outlined (sigma {Nuclei.NUCLEUS_PX:g} px), its grain finer than "
                    f"{Nuclei.SHORT_PX:g} px beyond that around counted {Nuclei.CHROMATIN:g} times, at least "
                    f"{Nuclei.LEAST_ENERGY:g}² x that deviation's square; where nuclei are darker by less than "
                    f"{Stained.LEAST_DENSITY:g} of optical density"
                ),
                score=SCORE,
                min_area_px=30,
                min_area_fraction=0.0,
                max_regions=MANY,
            ),
            Output(
                name="stained",
                label="nucleus-like region",
                rule=(
                    "optical density of red or blue, whichever varies most for its mean, at least "
                    f"{Stained.FRACTION:g} x midway between its two means (Ridler and Calvard) and above its "
                    f"neighbourhood (sigma {Stained.WIDE_PX:g} px), curved as a blob (scale {Stained.BLOB_PX:g} px) by "
                    f"at least {Stained.CURVED:g} of what is usual in what is dark, on the copy of full, half or a "
                    "quarter of the size where blobs are strongest; where nuclei are darker by at least "
                    f"{Stained.LEAST_DENSITY:g} of optical density"
                ),
                score=SCORE,
                min_area_px=30,
                min_area_fraction=0.0,
                max_regions=300,
            ),
        ),
        limits=(
            "Made for nuclei 4 to 8 µm wide, at 20 x (0.5 µm a px): an image that does not tell its spacing counts so.",
            "Where staining is strong, of any size from 8 px, that of most nuclei of the image.",
            "Nuclei that touch are one region, unless there is a lighter place between them.",
            "Red cells, dense collagen and mucus can be as dark as nuclei, and are told as such.",
        ),
    ),
    Definition(
        name="fundus-structures",
        version="4.0.0",
        title="Optic disc, vessels and spots of the retina",
        module=Fundus(),
        source=f"Hessian at several scales: Frangi et al., Multiscale vessel enhancement filtering, 1998. {OUTLINED}",
        modalities=("fundus photography",),
        channels=3,
        longest_side=256,
        foreground=Foreground("field", min_part_of_largest=0.3),
        outputs=(
            Output(
                name="disc",
                label="optic disc",
                rule=stands_out("green, closed over vessels, above", Fundus.WIDE_PX, Fundus.DISC),
                score=SCORE,
                min_area_fraction=0.002,
                max_regions=1,
                contrast="brighter",
            ),
            Output(
                name="vessel",
                label="vessel",
                rule=(
                    "largest curvature of green across (scales 1 and 1.8 px) of at least "
                    f"{100 * Fundus.VESSEL_FRACTION:g} % of the local peak, where that is at least {Fundus.VESSEL:g} x "
                    "the neighbourhood's deviation; darker than the neighbourhood"
                ),
                score=SCORE,
                min_area_fraction=0.0025,
                max_regions=10,
                contrast="darker",
            ),
            Output(
                name="bright",
                label="bright spot",
                rule=stands_out_as_whole(
                    "smoothed green above",
                    Fundus.SPOT_WIDE_PX,
                    Fundus.MATCHED_PX,
                    Fundus.BRIGHT_LEAST,
                    Fundus.SPOT_FRACTION,
                    Fundus.SPOT_SHORT_PX,
                )
                + f", around a place curved along both axes (scale {Fundus.SPOT_PX:g} px), more than "
                f"{Fundus.SHEEN_PX // 2} px from vessels",
                score=SCORE,
                min_area_fraction=0.0004,
                contrast="brighter",
            ),
            Output(
                name="dark",
                label="dark spot",
                rule=stands_out_as_whole(
                    "smoothed green below",
                    Fundus.SPOT_WIDE_PX,
                    Fundus.MATCHED_PX,
                    Fundus.DARK_LEAST,
                    Fundus.SPOT_FRACTION,
                    Fundus.SPOT_SHORT_PX,
                )
                + f", around a place curved along both axes (scale {Fundus.SPOT_PX:g} px), not where the fovea lies: "
                f"within {Fundus.MACULA:g} of the field's radius of a place {Fundus.FOVEA:g} of it from the disc",
                score=SCORE,
                min_area_fraction=0.0004,
                contrast="darker",
            ),
        ),
        limits=(
            "Works at 256 px on the longest side: vessels below about 2 px there, and spots below 5 px, are not found.",
            "A crossing or end of vessels can count as a dark spot. None is told where the fovea lies.",
            "Without a disc in view, whatever is far brighter than its neighbourhood takes its place.",
        ),
    ),
    Definition(
        name="endoscopy-colour",
        version="3.0.0",
        title="Highlights and redness of mucosa",
        module=EndoscopyColour(),
        source=(
            "Erythema index log(red / green): Diffey, Oliver and Farr, Br J Dermatol 111, 1984; highlights bright and "
            f"without colour: Oh et al., Med Image Anal 11, 2007. {CLIPPED}"
        ),
        modalities=("endoscopy",),
        channels=3,
        longest_side=256,
        outputs=(
            Output(
                name="highlight",
                label="specular highlight",
                rule=(
                    f"least of red, green and blue at least {EndoscopyColour.STEP:g} of 255 above what is left of it "
                    f"once all narrower than {EndoscopyColour.HIGHLIGHT_PX} px is opened away, beside a place where it "
                    f"is at least {EndoscopyColour.GLARE:g}"
                ),
                score=SCORE,
                min_area_px=4,
                min_area_fraction=0.0007,
                max_regions=3,
                contrast="brighter",
            ),
            Output(
                name="red",
                label="region redder than around it",
                rule=stands_out("log of red over green, above", EndoscopyColour.WIDE_PX, EndoscopyColour.LEAST)
                + f", highlights bridged, where luma is {100 * EndoscopyColour.SHADE:g} % of that around it or more",
                score=SCORE,
                min_area_fraction=0.001,
            ),
        ),
        limits=(
            "Vessels, blood and suction marks are redder too; narrow-band and dyed images have other colours.",
            "The three largest highlights are told, none below 0.07 % of the image; a wall that the lamp whitens not.",
            "A highlight hides what is below it; glints of metal and large white signs on the screen count as such.",
        ),
    ),
    Definition(
        name="microscopy-cells",
        version="2.0.0",
        title="Cells brighter than the field around them",
        module=Cells(),
        source=CLIPPED,
        modalities=("microscopy",),
        longest_side=512,
        outputs=(
            Output(
                name="cell",
                label="bright cell-like region",
                rule=stands_out("smoothed value above", Cells.WIDE_PX, Cells.LEAST)
                + f"; nothing where the image's mean is {Cells.BRIGHT_FIELD:g} of 255 or more",
                score=SCORE,
                min_area_px=25,
                min_area_fraction=0.0,
                max_regions=MANY,
                contrast="brighter",
            ),
        ),
        limits=(
            "For bright on dark (fluorescence, dark field); in a bright field it tells nothing.",
            "Made for cells 8 to 24 px wide. Cells that touch are one region.",
        ),
    ),
    Definition(
        name="microscopy-nuclei",
        version="1.0.0",
        title="Strongly stained nuclei on a bright field: white cells of blood films",
        module=StainedNuclei(),
        source="Optical density (Beer, Lambert); two means: Ridler and Calvard, IEEE Trans SMC 8, 1978",
        modalities=("microscopy",),
        channels=3,
        longest_side=512,
        outputs=(
            Output(
                name="nucleus",
                label="nucleus-like region",
                rule=(
                    f"optical density of green above that of the clear ground by at least {StainedNuclei.DENSITY:g}, "
                    f"{StainedNuclei.NARROW_PX} px wide or more, gaps of up to {StainedNuclei.LOBES_PX} px closed"
                ),
                score=SCORE,
                min_area_px=40,
                min_area_fraction=0.0015,
                max_regions=MANY,
                contrast="darker",
            ),
        ),
        limits=(
            "For colour pictures of blood films (Wright, Giemsa). Red cells, platelets and parasites are not told.",
            "Where the clear ground is darker than 130 of 255 in green, and in fluorescence, it tells nothing.",
            "Nuclei that touch are one region; lobes that lie apart are several.",
        ),
    ),
)
