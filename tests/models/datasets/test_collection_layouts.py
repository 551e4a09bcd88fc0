"""Collections that are pictures in folders, each on a small folder made to the layout that it is published in."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from models.datasets.sources.found import WrongLayout
from tests.models.datasets.test_sources import made, mask, opened, picture, table


@dataclass(frozen=True)
class Layout:
    """Files of a collection, and what the sidecars of some of its pictures say.

    Args:
        pictures: images to take, each with what its sidecar says of it, and the labels of its marks.
        masks: of these images.
        tables: rows of CSV files.
    """

    pictures: dict[str, dict[str, Any]]
    masks: tuple[str, ...] = ()
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])

    def lay(self, root: Path) -> None:
        """Write the files; every second mask is marked further to the right."""
        for path in self.pictures:
            picture(root / path)
        for number, path in enumerate(self.masks):
            mask(root / path, column=5 + 20 * (number % 2))
        for path, rows in self.tables.items():
            table(root / path, rows)


def marked(label: str, **told: Any) -> dict[str, Any]:
    """What is told of a picture with a mask of one number."""
    return {"labels": {label}, **told}


LAYOUTS = {
    "isic-2017": Layout(
        {
            "ISIC-2017_Training_Data/ISIC_0000000.jpg": marked("lesion", split="train", disease="melanoma"),
            "ISIC-2017_Test_v2_Data/ISIC_0012086.jpg": marked("lesion", split="test"),
        },
        (
            "ISIC-2017_Training_Part1_GroundTruth/ISIC_0000000_segmentation.png",
            "ISIC-2017_Test_v2_Part1_GroundTruth/ISIC_0012086_segmentation.png",
        ),
        {
            "ISIC-2017_Training_Part3_GroundTruth.csv": [
                {"image_id": "ISIC_0000000", "melanoma": "1.0", "seborrheic_keratosis": "0.0"}
            ]
        },
    ),
    "isic-2018": Layout(
        {"ISIC2018_Task1-2_Validation_Input/ISIC_0012255.jpg": marked("lesion", split="validation")},
        ("ISIC2018_Task1_Validation_GroundTruth/ISIC_0012255_segmentation.png",),
    ),
    "cvc-clinicdb": Layout(
        {"CVC-ClinicDB/Original/1.tif": marked("polyp"), "PNG/Original/2.png": marked("polyp")},
        ("CVC-ClinicDB/Ground Truth/1.tif", "PNG/Ground Truth/2.png"),
    ),
    "kvasir-v2": Layout(
        {
            "kvasir-dataset-v2/esophagitis/a.jpg": {"disease": "oesophagitis"},
            "kvasir-dataset-v2/normal-cecum/b.jpg": {"disease": "healthy"},
            "kvasir-dataset-v2/dyed-resection-margins/c.jpg": {"disease": None},
        }
    ),
    "bus-uc": Layout(
        {
            "BUS_UC/Benign/images/001.png": marked("tumour", disease="benign tumour"),
            "BUS_UC/Malignant/images/002.png": marked("tumour", disease="breast cancer"),
        },
        ("BUS_UC/Benign/masks/001.png", "BUS_UC/Malignant/masks/002.png"),
    ),
    "tn3k": Layout(
        {
            "Thyroid Dataset/tn3k/trainval-image/0000.jpg": marked("thyroid gland nodule", split="train"),
            "Thyroid Dataset/tn3k/test-image/0001.jpg": marked("thyroid gland nodule", split="test"),
        },
        ("Thyroid Dataset/tn3k/trainval-mask/0000.jpg", "Thyroid Dataset/tn3k/test-mask/0001.jpg"),
    ),
    "chase-db1": Layout(
        {"Image_01L.jpg": marked("vessel"), "Image_01R.jpg": marked("vessel")},
        ("Image_01L_1stHO.png", "Image_01R_1stHO.png"),
    ),
    "fives": Layout(
        {
            "train/Original/1_A.png": marked("vessel", split="train", disease="age-related macular degeneration"),
            "test/Original/1_N.png": marked("vessel", split="test", disease="healthy"),
        },
        ("train/Ground truth/1_A.png", "test/Ground truth/1_N.png"),
    ),
    "aptos-2019": Layout(
        {
            "train_images/000c1434d8d7.png": {"disease": "diabetic retinopathy"},
            "train_images/002c21358ce6.png": {"disease": "healthy"},
        },
        tables={
            "train.csv": [
                {"id_code": "000c1434d8d7", "diagnosis": "2"},
                {"id_code": "002c21358ce6", "diagnosis": "0"},
            ]
        },
    ),
    "oct-2017": Layout(
        {
            "OCT2017/train/CNV/CNV-1016042-1.jpeg": {"split": "train", "disease": "choroidal neovascularisation"},
            "OCT2017/val/NORMAL/NORMAL-9053621-1.jpeg": {"split": "validation", "disease": "healthy"},
        }
    ),
    "nct-crc-he": Layout(
        {
            "NCT-CRC-HE-100K/TUM/TUM-AAACAVEQ.tif": {"disease": "colorectal cancer"},
            "NCT-CRC-HE-100K/LYM/LYM-AACAVFHN.tif": {"disease": None},
        }
    ),
    "lc25000": Layout(
        {
            "lung_colon_image_set/colon_image_sets/colon_aca/colonca1.jpeg": {"disease": "colon adenocarcinoma"},
            "lung_colon_image_set/lung_image_sets/lung_n/lungn1.jpeg": {"disease": "healthy"},
        }
    ),
    "breakhis": Layout(
        {
            "histology_slides/breast/malignant/SOB/ductal_carcinoma/SOB_M_DC_14-2523/40X/SOB_M_DC-14-2523-40-001.png": {
                "disease": "breast cancer"
            }
        }
    ),
    "glas": Layout(
        {
            "Warwick QU Dataset/train_1.bmp": marked("gland", split="train"),
            "testA_2.bmp": marked("gland", split="test"),
        },
        ("Warwick QU Dataset/train_1_anno.bmp", "testA_2_anno.bmp"),
    ),
    "malaria": Layout(
        {
            "cell_images/Parasitized/C33P1thinF_IMG_20150619_114756a_cell_179.png": {"disease": "malaria"},
            "cell_images/Uninfected/C1_thinF_IMG_20150604_104722_cell_9.png": {"disease": "healthy"},
        }
    ),
    "blood-cells": Layout({"dataset2-master/images/TEST/EOSINOPHIL/_0_1616.jpeg": {"split": "test", "disease": None}}),
    "covid-chestxray": Layout(
        {
            "images/auntminnie-a.jpg": {"modality": "X-ray", "view": "PA", "disease": "COVID-19"},
            "images/b.png": {"modality": "CT", "disease": "pneumonia"},
        },
        tables={
            "metadata.csv": [
                {
                    "filename": "auntminnie-a.jpg",
                    "patientid": "2",
                    "modality": "X-ray",
                    "view": "PA",
                    "finding": "Pneumonia/Viral/COVID-19",
                },
                {"filename": "b.png", "patientid": "3", "modality": "CT", "view": "Axial", "finding": "Pneumonia"},
            ]
        },
    ),
    "tb-montgomery": Layout(
        {
            "MontgomerySet/CXR_png/MCUCXR_0001_0.png": {
                "disease": "healthy",
                "labels": {"left lung", "right lung"},
            }
        },
        (
            "MontgomerySet/ManualMask/leftMask/MCUCXR_0001_0.png",
            "MontgomerySet/ManualMask/rightMask/MCUCXR_0001_0.png",
        ),
    ),
    "tb-shenzhen": Layout({"ChinaSet_AllFiles/CXR_png/CHNCXR_0327_1.png": {"disease": "tuberculosis"}}),
    "chest-pneumonia": Layout(
        {"chest_xray/val/PNEUMONIA/person1946_bacteria_4874.jpeg": {"split": "validation", "disease": "pneumonia"}}
    ),
    "lgg-mri": Layout(
        {"kaggle_3m/TCGA_CS_4941_19960909/TCGA_CS_4941_19960909_1.tif": marked("tumour", disease="glioma")},
        ("kaggle_3m/TCGA_CS_4941_19960909/TCGA_CS_4941_19960909_1_mask.tif",),
    ),
    "brain-tumour-mri": Layout(
        {
            "Training/glioma/Tr-gl_0010.jpg": {"split": "train", "disease": "glioma"},
            "Testing/notumor/Te-no_0010.jpg": {"split": "test", "disease": "no tumour"},
        }
    ),
    "covid-ct": Layout(
        {
            "Images-processed/CT_COVID/2020.01.24.919183-p27-132.png": {"disease": "COVID-19"},
            "Images-processed/CT_NonCOVID/0.jpg": {"disease": None},
        }
    ),
    "head-ct-haemorrhage": Layout(
        {"Patients_CT/049/brain/14.jpg": marked("haemorrhage")}, ("Patients_CT/049/brain/14_HGE_Seg.jpg",)
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_a_collection_says_of_its_pictures(name: str, tmp_path: Path) -> None:
    """Each picture is taken once, with its marks; and no mask is taken for a picture."""
    root = tmp_path / name
    layout = LAYOUTS[name]
    layout.lay(root)
    sidecars, _, out = made(name, root)
    assert len(sidecars) == len(layout.pictures)
    for path, told in layout.pictures.items():
        taken, sidecar = next((one, of_it) for one, of_it in sidecars.items() if Path(one).stem == Path(path).stem)
        said = {key: value for key, value in told.items() if key != "labels"}
        assert {key: sidecar.get(key) for key in said} == said
        assert {one.label for one in opened(out, taken, sidecar).annotations} == told.get("labels", set())


@pytest.mark.parametrize("name", LAYOUTS)
def test_another_folder_is_refused(name: str, tmp_path: Path) -> None:
    """Pictures that lie elsewhere: the message names the collection."""
    picture(tmp_path / "elsewhere" / "a.webp")
    with pytest.raises(WrongLayout, match=r"expected|which is not"):
        made(name, tmp_path)
