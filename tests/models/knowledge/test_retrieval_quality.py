"""How well the starter corpus is found."""

from models.knowledge import STARTER_CORPUS, EmbeddedKnowledge, Query, read_corpus
from schemas.images import MODALITIES, Modality

# query text, modality, organ, passages one of which must be among the first five
PAIRS: tuple[tuple[str, Modality | None, str | None, str], ...] = (
    ("air-density region", "CT", "chest", "ct-hounsfield-air"),
    ("fat-density region", "CT", "abdomen", "ct-hounsfield-fat"),
    ("high-density region. bone density calcification", "CT", "spine", "ct-hounsfield-bone"),
    ("fluid density", "CT", "abdomen", "ct-hounsfield-soft-tissue"),
    ("definition of HU", "CT", None, "ct-hounsfield-scale"),
    ("dental filling streaks", "CT", "head", "ct-metal-density"),
    ("dark bands between petrous bones", "CT", "head", "ct-beam-hardening"),
    ("hyperdense bleeding in the brain", "CT", "brain", "ct-intracranial-haemorrhage"),
    ("acute stroke infarct insular ribbon", "CT", "brain", "ct-early-ischaemia"),
    ("round opacity in the lung, 12 mm", "CT", "lung", "chest-nodule-definition|lung-nodule-ct"),
    ("hazy opacity with visible vessels", "CT", "chest", "ct-ground-glass"),
    ("airspace destruction, low attenuation below -950", "CT", "lung", "ct-emphysema"),
    ("fatty liver", "CT", "liver", "ct-liver-fat"),
    ("kidney stone", "CT", "kidney", "ct-urinary-stone|kidney-stone-ct"),
    ("cyst of the kidney, Bosniak", "CT", "kidney", "ct-renal-cyst"),
    ("calcified coronary arteries", "CT", "heart", "ct-coronary-calcium"),
    ("contrast enhancement with iodine", "CT", "abdomen", "ct-iodine-contrast"),
    (
        "hyperintense region",
        "MR",
        "brain",
        "mr-white-matter-hyperintensity|hyperintense-region-within-the-brain-mr-brain",
    ),
    ("bright fluid on long echo time", "MR", "knee", "mr-t2-weighting"),
    ("signal in arbitrary units", "MR", None, "mr-arbitrary-units"),
    ("shading across the image from the coil", "MR", "abdomen", "mr-bias-field"),
    ("hemorrhage microbleeds signal loss", "MR", "brain", "mr-susceptibility-blood"),
    ("degenerated lumbar disk", "MR", "spine", "mr-disc-degeneration"),
    ("meniscus tear", "MR", "knee", "mr-knee-meniscus"),
    ("tissue folded over from outside the field of view", "MR", None, "mr-aliasing"),
    ("restricted diffusion", "MR", "brain", "mr-diffusion"),
    ("darker field (more X-rays transmitted)", "X-ray", "chest", "xray-basic-densities"),
    ("enlarged heart", "X-ray", "chest", "xray-cardiothoracic-ratio|cardiomegaly-radiographs-2"),
    ("blunted costophrenic angle, fluid", "X-ray", "chest", "xray-pleural-effusion"),
    ("AP view at the bedside", "X-ray", "chest", "xray-pa-ap"),
    ("broken bone", "X-ray", "wrist", "xray-bone-fracture"),
    ("scoliotic curve", "X-ray", "spine", "xray-scoliosis-cobb"),
    ("joint space narrowing and osteophytes", "X-ray", "knee", "xray-knee-osteoarthritis"),
    ("high-uptake region. SUV", "PET", "chest", "pet-suv|high-uptake-region-pet"),
    ("normal FDG in brain and bladder", "PET", "whole body", "pet-fdg-physiological"),
    ("lymphoma response", "PET", "chest", "pet-deauville"),
    ("anechoic region", "ultrasound", "liver", "us-anechoic-cyst"),
    ("hypoechoic region", "ultrasound", "abdomen", "us-echogenicity"),
    ("dark shadow behind bright reflector", "ultrasound", "abdomen", "us-acoustic-shadow"),
    ("granular interference pattern", "ultrasound", None, "us-speckle"),
    ("nodule of the thyroid", "ultrasound", "thyroid", "us-thyroid-nodule"),
    ("locally count-rich region", "nuclear medicine", "chest", "nm-planar-scintigraphy"),
    ("skeletal metastases uptake", "nuclear medicine", "skeleton", "nm-bone-scan"),
    ("grouped bright microcalcifications", "mammography", "breast", "mammo-calcification"),
    ("spiculated mass", "mammography", "breast", "mammo-mass"),
    ("MLO view pectoral muscle", "mammography", "breast", "mammo-views"),
    ("haematoxylin-rich region", "histopathology", None, "histo-he-stain"),
    ("hematoxylin and eosin unmixing of stains", "histopathology", None, "histo-colour-deconvolution"),
    ("brown DAB antibody staining", "histopathology", None, "histo-ihc-dab"),
    ("hair covering the lesion", "dermoscopy", "skin", "derm-hair-artefact"),
    ("brown grid of lines", "dermoscopy", "skin", "derm-pigment-network"),
    ("yellow lipid deposits", "fundus photography", "eye", "fundus-hard-exudates"),
    ("where is the optic nerve head", "fundus photography", "eye", "fundus-landmarks"),
    ("glaucoma cup", "fundus photography", "eye", "fundus-cup-disc"),
    ("sessile polyp", "endoscopy", "colon", "endo-polyp-paris|polyp-endoscopy-colon"),
    ("saturated white reflections", "endoscopy", None, "endo-specular"),
    ("cell nuclei bright blue fluorescence", "microscopy", None, "micro-dapi-nuclei"),
    ("malaria Giemsa red cells", "microscopy", None, "micro-blood-film"),
    ("which side is the patient's left", "CT", "abdomen", "orientation-radiological-convention"),
    ("homogeneous texture", "CT", "liver", "texture-heterogeneity"),
    ("sagittal plane", "MR", "spine", "orientation-planes"),
    ("grey level threshold", None, None, "threshold-otsu"),
    ("radiation risk in millisieverts", "CT", None, "radiation-dose-risk"),
    ("size in millimetres per pixel", None, None, "pixel-spacing"),
)


def test_expected_passage_is_among_five(starter: EmbeddedKnowledge) -> None:
    """Recall at 5 over the pairs is at least 0.9."""
    missed = [
        (text, expected)
        for text, modality, organ, expected in PAIRS
        if not {*expected.split("|")}
        & {one.passage_id for one in starter.search(Query(text, modality, organ, limit=5))}
    ]
    assert len(PAIRS) >= 40
    assert 1 - len(missed) / len(PAIRS) >= 0.9, missed


def test_no_passage_of_another_modality_is_found(starter: EmbeddedKnowledge) -> None:
    """What is found fits the modality that was asked for."""
    for text, modality, organ, _ in PAIRS:
        for found in starter.search(Query(text, modality, organ, limit=20)):
            assert modality is None or not found.modalities or modality in found.modalities


def test_starter_covers_every_modality() -> None:
    """Each modality that can be named has at least six passages of its own, seventy-two in all."""
    passages = read_corpus(STARTER_CORPUS)
    assert len(passages) >= 72
    for modality in set(MODALITIES) - {"other", "unknown"}:
        assert sum(modality in passage.modalities for passage in passages) >= 6, modality
