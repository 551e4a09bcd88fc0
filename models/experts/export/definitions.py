"""What each expert claims, in words written from the same constants as its module. Knows nothing of ONNX."""

from models.experts.export.body_definitions import BODY
from models.experts.export.definition import SCORE, Definition, Foreground, Output, stands_out
from models.experts.export.layers import GRID
from models.experts.export.lesion_definitions import LESIONS
from models.experts.export.modules import (
    CountContrast,
    CtDensity,
    CtLung,
    LocalContrast,
    MrSignal,
    PetUptake,
    StainSeparation,
    UltrasoundEcho,
    XrayTransmission,
)
from models.experts.export.outline_definitions import OUTLINES
from models.experts.export.picture_definitions import PICTURES

AROUND = f"a neighbourhood of sigma {LocalContrast.NEIGHBOURHOOD_PX:g} px"


DEFINITIONS = (
    Definition(
        name="ct-density",
        version="2.1.0",
        title="Density bands of CT",
        module=CtDensity(),
        source=(
            "Hounsfield scale (DICOM PS3.3 C.11.1.1.2): air -1000 HU, water 0 HU; bands as in Kalender, Computed "
            "Tomography, 3rd ed. 2011; flat grey openings: Serra, Image Analysis and Mathematical Morphology, 1982; "
            "foci from 130 HU: Agatston et al., Quantification of coronary artery calcium, J Am Coll Cardiol 15, 1990"
        ),
        modalities=("CT",),
        units=("HU",),
        foreground=Foreground("body"),
        outputs=(
            Output(
                name="air",
                label="air-density region",
                rule=f"at most {CtDensity.AIR_HU:g} HU, enclosed by the body outline (above {CtDensity.BODY_HU:g} HU)",
                score=f"0.5 at {CtDensity.AIR_HU:g} HU, 1 at {CtDensity.PURE_AIR_HU:g} HU (air), mean over the region",
            ),
            Output(
                name="high",
                label="high-density region",
                rule=(
                    f"at least {CtDensity.HIGH_HU:g} HU inside the body outline, as bone, calcification, contrast "
                    "agent or metal are"
                ),
                score=f"0.5 at {CtDensity.HIGH_HU:g} HU, 1 at {CtDensity.CORTICAL_HU:g} HU, mean over the region",
            ),
            Output(
                name="fat",
                label="fat-density region",
                rule=(
                    f"between {CtDensity.FAT_HU - CtDensity.FAT_HALF_WIDTH_HU:g} and "
                    f"{CtDensity.FAT_HU + CtDensity.FAT_HALF_WIDTH_HU:g} HU after smoothing, inside the body outline "
                    "and apart from it"
                ),
                score=f"0.5 at the band's edges, 1 at {CtDensity.FAT_HU:g} HU, mean over the region",
                min_area_fraction=0.002,
                rim=0.012,
            ),
            Output(
                name="lung",
                label="lung-density region",
                rule=(
                    f"between {CtDensity.LUNG_HU - CtDensity.LUNG_HALF_WIDTH_HU:g} and "
                    f"{CtDensity.LUNG_HU + CtDensity.LUNG_HALF_WIDTH_HU:g} HU after smoothing, vessels bridged, inside "
                    "the body outline"
                ),
                score=f"0.5 at the band's edges, 1 at {CtDensity.LUNG_HU:g} HU, mean over the region",
                min_area_fraction=0.01,
                max_regions=2,
            ),
            Output(
                name="focus",
                label="small high-density focus",
                rule=(
                    f"at least {CtDensity.FOCUS_HU:g} HU where less than {100 * CtDensity.FOCUS_SHARE:g} % of a square "
                    f"of {CtDensity.FOCUS_PX} px around is, as calcifications are, and at least "
                    f"{100 * CtDensity.FOCUS_FRACTION:g} % of the largest within {CtDensity.FOCUS_REACH_PX} px, more "
                    f"than {CtDensity.NEAR_LUNG_PX} px from lung density {GRID * CtDensity.LUNG_CELLS} px wide, "
                    "inside the body outline"
                ),
                score="0.5 at the threshold, 1 at twice that, mean over the region",
                min_area_px=6,
                min_area_fraction=0.0,
                contrast="brighter",
            ),
        ),
        limits=(
            "HU depend on tube voltage, kernel and artefacts; bands overlap between tissues.",
            "Air that reaches the image's edge (a lung cut off by the field of view) is not reported.",
            "Air held between arm and trunk, or between body and table, can count as enclosed.",
            "Fat that reaches the skin is not told, be it a lipoma below it; planes between organs are.",
            "Lung is air-density too. Thin bone can count as a small focus; one beside bone or lung is not told.",
        ),
    ),
    Definition(
        name="ct-lung",
        version="1.0.0",
        title="Soft tissue within the lungs of CT",
        module=CtLung(),
        source=(
            "Lungs by threshold and closing: Hu et al., IEEE Trans Med Imaging 20, 2001; bands as in Kalender, "
            "Computed Tomography, 3rd ed. 2011; nodules below 6 mm passed over as in MacMahon et al., Radiology 284, "
            "2017; flat grey openings: Serra 1982"
        ),
        modalities=("CT",),
        organs=("chest", "lung"),
        views=("axial",),
        units=("HU",),
        spacing_mm=1.0,
        foreground=Foreground("lungs", min_part_of_largest=0.1),
        outputs=(
            Output(
                name="focus",
                label="soft-tissue region within the lungs",
                rule=(
                    f"at least {CtLung.FOCUS_HU:g} HU after smoothing, {CtLung.NARROW_MM} px wide or more, with lung "
                    f"({CtLung.LUNG_HU[0]:g} to {CtLung.LUNG_HU[1]:g} HU) to its left and right, and above and below "
                    f"it, {CtLung.REACH_MM - GRID} px apart at most"
                ),
                score=f"0.5 at {CtLung.FOCUS_HU:g} HU, 1 at {CtLung.SOFT_HU:g} HU, mean over the region",
                min_area_px=20,
                min_area_fraction=0.0,
                contrast="brighter",
            ),
        ),
        limits=(
            "Vessels near the hilum, and the dome of the diaphragm, are soft tissue within lung too.",
            "What touches the chest wall or the mediastinum is passed over; so is ground glass, too faint.",
            "One slice is looked at: a vessel that crosses it looks like a nodule.",
        ),
    ),
    Definition(
        name="mr-signal",
        version="1.1.0",
        title="Local signal outliers of MR",
        module=MrSignal(),
        source=(
            "Difference of Gaussians: Marr and Hildreth, Theory of edge detection, 1980; normalised convolution: "
            "Knutsson and Westin, 1993"
        ),
        modalities=("MR",),
        except_organs=("brain", "head"),
        foreground=Foreground("foreground", min_part_of_largest=0.05, margin=0.015),
        outputs=(
            Output(
                name="hyperintense",
                label="hyperintense region",
                rule=(
                    f"signal above {AROUND} by more than {MrSignal.HYPERINTENSE:g} x the image's typical local "
                    "deviation"
                ),
                score="0.5 at the threshold, 1 at twice the threshold, mean over the region",
                contrast="brighter",
            ),
            Output(
                name="hypointense",
                label="hypointense region",
                rule=(
                    f"signal below {AROUND} by more than {MrSignal.HYPOINTENSE:g} x the image's typical local deviation"
                ),
                score="0.5 at the threshold, 1 at twice the threshold, mean over the region",
                contrast="darker",
            ),
        ),
        limits=(
            "MR signal has no absolute scale: a region is bright or dark only against its own neighbourhood.",
            "Vessels, fluid, fat, marrow, cortical bone and air all stand out in some sequence.",
            "Works at 512 px on the longest side; smaller images are taken as they are.",
        ),
    ),
    Definition(
        name="xray-transmission",
        version="1.1.0",
        title="Transmission of radiographs",
        module=XrayTransmission(),
        source="Picture thresholding using an iterative selection method: Ridler and Calvard, IEEE Trans. SMC 8, 1978",
        modalities=("X-ray",),
        polarity="displayed",
        outputs=(
            Output(
                name="darker",
                label="darker field (more X-rays transmitted)",
                rule=(
                    "shown darker than midway between the means of the image's dark and bright class, apart from its "
                    "edge"
                ),
                score="0.5 at the threshold, 1 at the mean of the dark class, mean over the region",
                contrast="darker",
                min_area_fraction=0.01,
                rim=0.002,
            ),
        ),
        inside=("chest-lungs", 0.8),
        limits=(
            "What reaches the image's edge, as air beside the patient does, is not told, be it a lung that is cut off.",
            "Direct exposure that does not reach the edge is a darker field too, as are the lungs and gas.",
            "Assumes the usual presentation, in which more transmission is shown darker.",
            "Works at 512 px on the longest side: finer structures are not found.",
        ),
    ),
    Definition(
        name="ultrasound-echo",
        version="2.1.0",
        title="Weak echo within the insonated sector",
        module=UltrasoundEcho(),
        source=(
            "Flat openings and closings: Serra 1982; clipped background: Bertin and Arnouts, SExtractor, Astron "
            "Astrophys Suppl 117, 1996; log-compressed speckle has the same spread at any level: Burckhardt, IEEE "
            "Trans Sonics Ultrason 25, 1978"
        ),
        modalities=("ultrasound",),
        except_organs=("breast",),
        foreground=Foreground("sector", min_part_of_largest=0.5, margin=0.01),
        longest_side=256,
        outputs=(
            Output(
                name="hypoechoic",
                label="hypoechoic region",
                rule=stands_out("smoothed echo below", UltrasoundEcho.WIDE_PX, UltrasoundEcho.LEAST)
                + ", inside the insonated sector",
                score=SCORE,
                contrast="darker",
                min_area_fraction=0.001,
            ),
        ),
        limits=(
            "Fluid, shadow, drop-out and vessels look the same to this rule.",
            "Parts shown perfectly black, without noise, are taken as the screen's background and not reported.",
            "Colour Doppler pixels count as echo; burnt-in graphics can cut a region.",
        ),
    ),
    Definition(
        name="stain-separation",
        version="1.1.0",
        title="Haematoxylin and eosin by colour deconvolution",
        module=StainSeparation(),
        source=(
            "Ruifrok and Johnston, Quantification of histochemical staining by color deconvolution, Anal Quant Cytol "
            "Histol 23, 2001"
        ),
        modalities=("histopathology",),
        channels=3,
        longest_side=1024,
        outputs=(
            Output(
                name="haematoxylin",
                label="haematoxylin-rich region",
                rule=(
                    f"smoothed haematoxylin density above {StainSeparation.HAEMATOXYLIN_OD:g} OD after colour "
                    "deconvolution"
                ),
                score=f"0.5 at {StainSeparation.HAEMATOXYLIN_OD:g} OD, 1 at twice that, mean over the region",
                max_area_fraction=0.5,
            ),
            Output(
                name="eosin",
                label="eosin-rich region",
                rule=f"smoothed eosin density above {StainSeparation.EOSIN_OD:g} OD after colour deconvolution",
                score=f"0.5 at {StainSeparation.EOSIN_OD:g} OD, 1 at twice that, mean over the region",
                max_area_fraction=0.5,
                min_area_fraction=0.002,
            ),
        ),
        limits=(
            "Stain vectors are those of the paper, not fitted to the slide; other stains are unmixed wrongly.",
            "White is taken as 255 (65535 with 16 bits): a dark background reads as stain.",
        ),
    ),
    Definition(
        name="pet-uptake",
        version="2.0.0",
        title="PET uptake by SUV",
        module=PetUptake(),
        source=(
            "41 % isocontour: Boellaard et al., FDG PET/CT: EANM procedure guidelines for tumour imaging 2.0, 2015; "
            "adapted to the background: Krak et al., Eur J Nucl Med Mol Imaging 32, 2005; fixed SUV 2.5 as in use"
        ),
        modalities=("PET",),
        units=("SUVbw",),
        outputs=(
            Output(
                name="uptake",
                label="high-uptake region",
                rule=(
                    f"smoothed SUVbw above the background by at least {100 * PetUptake.FRACTION_OF_PEAK:g} % of what "
                    f"the local peak is above it, where that peak is SUVbw {PetUptake.SUV:g} or more"
                ),
                score="0.5 at the threshold, 1 at twice its height above the background, mean over the region",
                contrast="brighter",
                min_area_px=4,
                min_area_fraction=0.0006,
            ),
        ),
        limits=(
            "Brain, heart, kidneys and bladder take up and excrete tracer normally.",
            "Peak and background are those of one image, not of the volume; smoothing lowers the peak of small foci.",
        ),
    ),
    Definition(
        name="count-contrast",
        version="2.0.0",
        title="Local count contrast of planar nuclear medicine",
        module=CountContrast(),
        source="Difference of Gaussians: Marr and Hildreth 1980; normalised convolution: Knutsson and Westin, 1993",
        modalities=("nuclear medicine",),
        foreground=Foreground("foreground", min_part_of_largest=0.05),
        outputs=(
            Output(
                name="rich",
                label="locally count-rich region",
                rule=(
                    f"counts above {AROUND} by more than {CountContrast.RICH:g} x the image's typical local deviation, "
                    "less what the place mirrored about the body's middle column is above it, where that stands out"
                ),
                score="0.5 at the threshold, 1 at twice the threshold, mean over the region",
                contrast="brighter",
            ),
        ),
        limits=(
            "Injection sites and single joints are count-rich normally.",
            "What lies astride the middle, as bladder, sternum and spine do, or in pairs, is taken for normal.",
        ),
    ),
    *BODY,
    *PICTURES,
    *LESIONS,
    *OUTLINES,
)
