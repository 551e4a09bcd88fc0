"""The JSON file beside an image: what it may say, what of it is taken, and what is refused."""

import re
from io import BytesIO

import cv2
import nibabel as nib
import numpy as np
import orjson
import pytest
import tifffile
from pycocotools import mask as coco

from models.imaging import FramePolicy, encode_png, open_source
from models.imaging.errors import InvalidSidecar
from models.imaging.frames import Frame
from models.imaging.vocabulary import MARKED_REGION, disease_of, label_of
from schemas.images import MODALITIES, Orientation, Spacing
from tests.models.imaging.samples import MakeDicom

ALL = FramePolicy()
GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)
PNG = encode_png(GREY)
LABELS = np.zeros((6, 8), np.uint8)
LABELS[1:3, 2:5], LABELS[4, 6] = 1, 2


def described(sidecar: object, data: bytes = PNG, mask: bytes | None = None) -> list[Frame]:
    """The frames of an image with a sidecar."""
    text = sidecar if isinstance(sidecar, bytes) else orjson.dumps(sidecar)
    return list(open_source(data, ALL, sidecar=text, mask=mask).frames())


def pixels_of(frame: Frame) -> list[np.ndarray]:
    """The masks of a frame's annotations."""
    masks = [one.mask for one in frame.annotations if one.mask is not None]
    return [coco.decode({"size": list(mask.size), "counts": mask.counts.encode()}) for mask in masks]


def test_everything_that_a_sidecar_says_is_taken() -> None:
    """Metadata in closed words, spacing with its source, and the unit, which is a part of the image's identity."""
    sidecar = {
        "modality": "CT", "organ": "Left lung", "disease": "viral pneumonia", "view": "AP", "laterality": "left",
        "plane": "axial", "spacing": {"row_mm": 0.5, "column_mm": 1}, "unit": "HU",
        "orientation": {"right": "patient left", "down": "posterior"},
    }  # fmt: skip
    (frame,) = described(sidecar)
    metadata = frame.metadata
    assert (metadata.modality, metadata.organ, metadata.disease) == ("CT", "lung", "viral pneumonia")
    assert (metadata.view, metadata.laterality, metadata.plane) == ("AP", "left", "axial")
    assert metadata.spacing == Spacing(row_mm=0.5, column_mm=1, source="sidecar")
    assert metadata.orientation == Orientation(right="patient left", down="posterior")
    assert (metadata.sidecar_fields_left_out, metadata.annotations_digest) == (0, None)
    assert frame.unit == "HU"
    (plain,) = open_source(PNG, ALL).frames()
    assert plain.image_id != frame.image_id
    (without,) = described(sidecar | {"unit": None})
    assert without.image_id == plain.image_id


@pytest.mark.parametrize("modality", MODALITIES)
def test_every_modality_can_be_told(modality: str) -> None:
    """The word itself; where it implies an organ that nothing else tells, that too."""
    metadata = described({"modality": modality})[0].metadata
    assert metadata.modality == modality
    implied = {"mammography": "breast", "fundus photography": "retina", "OCT": "retina", "dermoscopy": "skin"}
    assert metadata.organ == implied.get(modality)


def test_what_is_not_taken_is_counted_and_goes_nowhere() -> None:
    """Free text that is no word of the vocabulary; a name in it does not get out."""
    sidecar = {
        "organ": "DOE JANE", "disease": "Mrs Doe's", "patient": "DOE JANE", "labels": {"1": "DOE JANE"},
        "boxes": [{"x": 0, "y": 0, "width": 1, "height": 1, "label": "Dr. Doe"}],
    }  # fmt: skip
    (frame,) = described(sidecar)
    assert frame.metadata.sidecar_fields_left_out == 2
    assert "DOE" not in f"{frame.metadata} {frame.annotations}".upper()
    assert [one.label for one in frame.annotations] == [MARKED_REGION]


@pytest.mark.parametrize(
    ("sidecar", "field"),
    [
        (b"{", "the whole"),
        (b'{"organ": "\xff"}', "the whole"),
        ([], "the whole"),
        ({"modality": "DOE JANE"}, "modality"),
        ({"organ": 5}, "organ"),
        ({"spacing": {"row_mm": -1, "column_mm": 1}}, "spacing.row_mm"),
        ({"spacing": {"row_mm": 1}}, "spacing.column_mm"),
        (b'{"spacing": {"row_mm": NaN, "column_mm": 1}}', "the whole"),
        ({"orientation": {"right": "head", "down": "feet"}}, "orientation"),
        ({"unit": "DOE JANE"}, "unit"),
        ({"boxes": [{"x": 0, "y": 0, "width": 0, "height": 1}]}, "boxes.0.width"),
        ({"boxes": [{"x": 7, "y": 0, "width": 2, "height": 1}]}, "boxes"),
        ({"boxes": [{"x": 0, "y": 0, "width": 1, "height": 1, "frame": 1}]}, "boxes.frame"),
        ({"labels": {"DOE JANE": 5}}, "labels"),
        ({"labels": {"DOE JANE": "lung"}}, "labels"),
        ({"mask": "DOE_JANE.png"}, "mask"),
    ],
)
def test_an_invalid_sidecar_is_refused_by_the_field(sidecar: object, field: str) -> None:
    """The message names the field and quotes nothing of the file."""
    with pytest.raises(InvalidSidecar) as caught:
        described(sidecar)
    assert f", {field} " in str(caught.value)
    assert "DOE" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_word_that_is_none_of_a_field_is_refused_with_those_that_are() -> None:
    """What may stand there is our own, so it can be shown; a field that lacks is told as such."""
    with pytest.raises(InvalidSidecar, match=r"plane does not hold what it may: 'axial', 'coronal', .*; correct it"):
        described({"plane": "transaxial"})
    with pytest.raises(InvalidSidecar, match=r"spacing\.column_mm is missing; correct it"):
        described({"spacing": {"row_mm": 1}})


@pytest.mark.parametrize(
    ("sidecar", "told"),
    [
        ({"modallity": "CT"}, "modallity is no field: modality is meant"),
        ({"License": "CC0-1.0"}, "License is no field: licence is meant"),
        ({"licens": "CC0-1.0"}, "licens is no field: licence is meant"),
        ({"patient_id": "DOE JANE"}, "patient_id is no field: patient is meant"),
        ({"PatientID": "DOE JANE"}, "PatientID is no field: patient is meant"),
        ({"spacing": {"row": 1, "column_mm": 1}}, "spacing.row is no field: spacing.row_mm is meant"),
        ({"spacing": {"z": 1, "column_mm": 1}}, "field 1 of spacing is none of row_mm, column_mm"),
        ({"boxes": [{"x": 0, "y": 0, "w": 1, "height": 1}]}, "boxes.0.w is no field: boxes.0.width is meant"),
        ({"spacing": {"rows_mm": 1, "column_mm": 1}}, "spacing.rows_mm is no field: spacing.row_mm is meant"),
        ({"boxes": [{"x": 0, "y": 0, "width": 1, "height": 1, "lable": "DOE"}]}, "boxes.0.lable is no field"),
        ({"modality": "CT", "DOE JANE": 1}, "field 2 of the whole is none of modality, organ,"),
        ({"organ DOE": "liver"}, "field 1 of the whole is none of"),
        ({"patient 19700101": 1}, "field 1 of the whole is none of"),
        ({"series_doe": 1}, "field 1 of the whole is none of"),
    ],
)
def test_an_unknown_field_is_refused_with_the_one_that_is_meant(sidecar: object, told: str) -> None:
    """By its name where it is one misspelt, or another's word for it; else by its place: it can be a person's name."""
    with pytest.raises(InvalidSidecar) as caught:
        described(sidecar)
    assert told in str(caught.value)
    assert not {"doe", "jane"} & {*re.findall("[a-z]+", str(caught.value).casefold())}
    assert "1970" not in str(caught.value)


def test_defaults_stand_in_for_what_a_sidecar_does_not_say(make_dicom: MakeDicom) -> None:
    """The settings' before the file's own, the folder's before these, the sidecar's before all."""
    header = make_dicom(np.ones((4, 4), np.uint16), BodyPartExamined="CHEST")
    settings, folder = {"modality": "MR", "organ": "liver", "source": "a"}, {"organ": "brain", "source": "b@2"}
    source = open_source(
        header, ALL, defaults=[orjson.dumps(settings), orjson.dumps(folder)], sidecar=orjson.dumps({"source": "c"})
    )
    assert (source.read(0).metadata.modality, source.read(0).metadata.organ) == ("MR", "brain")
    assert source.belonging.source == "c"
    with pytest.raises(InvalidSidecar, match=r"_defaults\.json.*boxes"):
        open_source(PNG, ALL, defaults=[orjson.dumps({"boxes": []})])


@pytest.mark.parametrize(("modality", "unit"), [
    ("MR", "HU"), ("PET", "HU"), ("ultrasound", "SUVbw"), ("CT", "Bq/ml"), ("histopathology", "HU"),
])  # fmt: skip
def test_a_unit_that_the_modality_does_not_measure_is_not_taken(modality: str, unit: str) -> None:
    """No magnetic resonance is in Hounsfield units; it is counted as left out."""
    (frame,) = described({"modality": modality, "unit": unit})
    assert (frame.unit, frame.metadata.sidecar_fields_left_out) == ("stored value", 1)


def test_values_of_another_modality_lose_their_unit(make_dicom: MakeDicom) -> None:
    """Of a CT that its sidecar calls an MR image nobody knows what the values are."""
    data = make_dicom(np.arange(64, dtype=np.uint16).reshape(8, 8), RescaleSlope="1", RescaleIntercept="-1024")
    (frame,) = described({"modality": "MR"}, data)
    assert (frame.unit, frame.metadata.modality, frame.values.min()) == ("rescaled value", "MR", -1024)


def test_a_unit_that_the_file_names_is_kept(make_dicom: MakeDicom) -> None:
    """CT numbers stay HU, and the field counts as not taken; other words go before the header's."""
    data = make_dicom(np.ones((4, 4), np.uint16), RescaleSlope=1, RescaleIntercept=0, BodyPartExamined="CHEST")
    (frame,) = described({"unit": "Gy", "organ": "liver"}, data)
    assert (frame.unit, frame.metadata.organ, frame.metadata.modality) == ("HU", "liver", "CT")
    assert frame.metadata.sidecar_fields_left_out == 1


@pytest.mark.parametrize("kind", ["png", "palette", "tiff"])
def test_each_number_of_a_mask_is_a_region(kind: str) -> None:
    """Grey or indexed; names are words of the vocabulary, and a number without one is a marked region."""
    if kind == "tiff":
        buffer = BytesIO()
        tifffile.imwrite(buffer, LABELS, photometric="minisblack")
        mask = buffer.getvalue()
    else:
        mask = encode_png(LABELS)
        if kind == "palette":
            mask = indexed(LABELS)
    (frame,) = described({"mask": "m.png", "labels": {"1": "Liver_Tumor"}}, mask=mask)
    assert [one.label for one in frame.annotations] == ["liver tumour", MARKED_REGION]
    for value, found in enumerate(pixels_of(frame), start=1):
        np.testing.assert_array_equal(found, value == LABELS)
    assert frame.metadata.annotations_digest is not None


def indexed(labels: np.ndarray, bits: int = 4) -> bytes:
    """A PNG of indices into a palette of colours, as annotation tools write."""
    import struct
    import zlib

    packed = b"".join(
        b"\0" + bytes(int(row[at]) << 4 | int(row[at + 1]) for at in range(0, len(row), 2)) for row in labels
    )
    rows, columns = labels.shape
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", columns, rows, bits, 3, 0, 0, 0)),
        (b"PLTE", bytes([0, 0, 0, 200, 10, 10, 10, 200, 10])),
        (b"tRNS", bytes([0, 255, 255])),
        (b"IDAT", zlib.compress(packed)),
        (b"IEND", b""),
    ]
    crc = [struct.pack(">I", zlib.crc32(kind + content)) for kind, content in chunks]
    parts = [
        struct.pack(">I", len(content)) + kind + content + check
        for (kind, content), check in zip(chunks, crc, strict=True)
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_the_annotations_change_the_digest_and_not_the_image() -> None:
    """Another mask is another lineage of the same image."""
    first = described({"mask": "m.png"}, mask=encode_png(LABELS))[0]
    second = described({"mask": "m.png"}, mask=encode_png(LABELS // 2))[0]
    assert first.image_id == second.image_id
    assert first.metadata.annotations_digest != second.metadata.annotations_digest


@pytest.mark.parametrize(
    "mask",
    [
        b"no image",
        encode_png(LABELS[:5]),
        encode_png(np.dstack([LABELS] * 3)),
        cv2.imencode(".jpg", LABELS)[1].tobytes(),
        nib.Nifti1Image(LABELS, np.eye(4)).to_bytes(),
        encode_png(np.arange(65_536, dtype=np.uint16).reshape(256, 256)),
    ],
    ids=["no image", "size", "colour", "JPEG", "NIfTI", "photograph"],
)
def test_a_mask_that_does_not_fit_is_refused(mask: bytes) -> None:
    """Never stretched, never guessed."""
    data = encode_png(np.zeros((256, 256), np.uint8)) if len(mask) > 1000 and mask.startswith(b"\x89PNG") else PNG
    with pytest.raises(InvalidSidecar, match=", mask "):
        described({"mask": "m"}, data, mask)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_sidecar_may_be_in_any_unicode_with_or_without_a_mark(encoding: str) -> None:
    """As editors on Windows write it."""
    text = '{"modality": "MR", "organ": "brain", "disease": "tumour, größer"}'
    (frame,) = described(text.encode(encoding))
    assert (frame.metadata.modality, frame.metadata.organ) == ("MR", "brain")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b'{"modality": "MR",}', "a comma before a closing bracket, which JSON does not allow, at line 1, column 18"),
        (b'{"modality":\n"MR"\n"Doe"}', "the whole is not JSON at line 3, column 1"),
        (b'{"modality": "MR", "modality": "CT"}', "modality is there twice"),
        (b'{"spacing": {"row_mm": 1, "row_mm": 2, "column_mm": 1}}', "row_mm is there twice"),
        (b'{"Doe": 1, "Doe": 2}', "a field is there twice"),
        (b'{"organ": "h\xe4rt"}', "is not text in UTF-8 or UTF-16"),
        (b"\xff\xfe{", "is not text in UTF-8 or UTF-16"),
        (b"[" * 1010 + b"]" * 1010, "too deeply"),
        (b"", "is not JSON"),
    ],
)
def test_a_sidecar_that_is_no_json_or_says_two_things_is_refused_with_the_place(text: bytes, told: str) -> None:
    """And nothing that it holds is repeated."""
    with pytest.raises(InvalidSidecar, match=told) as caught:
        described(text)
    assert "Doe" not in str(caught.value)


@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, 1), (-1, -1, -1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.int64])
def test_a_volume_and_its_mask_may_lie_in_different_ways(signs: tuple[int, int, int], dtype: type) -> None:
    """The mask's voxels are put where its affine says, whichever way its axes run; for each volume of a series."""
    volume = np.random.default_rng(0).integers(0, 100, (4, 5, 6, 2), np.int16)
    labels = (volume[..., 0] > 80).astype(dtype)
    image = nib.Nifti1Image(volume, np.diag([1.0, 1, 3, 1])).to_bytes()
    turned = labels[:: signs[0], :: signs[1], :: signs[2]]
    mask = nib.Nifti1Image(turned, np.diag([*np.multiply(signs, [1.0, 1, 3]), 1]), dtype=dtype).to_bytes()
    frames = described({"mask": "m.nii"}, image, mask)
    assert len(frames) == 12
    for frame in frames[:6]:
        (found,) = pixels_of(frame) or [np.zeros(frame.stored.shape)]
        np.testing.assert_array_equal(found, frame.values > 80)
    assert [frame.annotations for frame in frames[6:]] == [frame.annotations for frame in frames[:6]]


def test_boxes_belong_to_their_frames() -> None:
    """In a file with several frames each box is of one."""
    buffer = BytesIO()
    tifffile.imwrite(buffer, np.stack([GREY, GREY]), photometric="minisblack")
    boxes = [{"x": 1, "y": 2, "width": 3, "height": 4, "label": "polyp", "frame": 1}]
    first, second = described({"boxes": boxes}, buffer.getvalue())
    assert first.annotations == ()
    (mark,) = second.annotations
    assert mark.box is not None
    assert (mark.label, mark.box.x, mark.box.y, mark.box.width, mark.box.height) == ("polyp", 1, 2, 3, 4)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("tumour", "tumour"), ("Tumor", "tumour"), ("LEFT lung", "left lung"), ("optic_disc", "optic disc"),
        ("Left ventricle", "left ventricle"), ("nuclei", "nucleus"), ("Handley", MARKED_REGION), ("", MARKED_REGION),
        (None, MARKED_REGION), ("tumour of " + "x" * 40, MARKED_REGION), ("GGO", "ground-glass opacity"),
        ("no tumor", MARKED_REGION), ("non-enhancing tumor", "non-enhancing tumour"), ("hippocampus", "hippocampus"),
        ("adrenal_gland_left", "left adrenal gland"), ("femur", "femur"), ("lung infection", "lung infection"),
        ("liver tumor", "liver tumour"), ("kidney_cyst_right", "right kidney cyst"), ("nodule", "nodule"),
    ],
)  # fmt: skip
def test_labels_are_words_of_the_vocabulary(text: str | None, label: str) -> None:
    """With side and organ; a word inside a name is none, and what denies or means another thing is not taken."""
    assert label_of(text) == label


@pytest.mark.parametrize(
    ("text", "disease"),
    [
        ("COVID-19", "COVID-19"), ("covid19", "COVID-19"), ("Lung adenocarcinoma", "lung adenocarcinoma"),
        ("nevus", "melanocytic naevus"), ("no tumor", "no tumour"), ("Normal", "healthy"), ("non-enhancing tumor",
        "non-enhancing tumour"), ("rule out pneumonia", None), ("benign", None),
        ("Diabetic Retinopathy (grade 2)", "diabetic retinopathy"), ("Mr Strokeson", None), (None, None),
    ],
)  # fmt: skip
def test_diseases_are_words_of_the_vocabulary(text: str | None, disease: str | None) -> None:
    """Synonyms and American spelling are found; a word inside a name is none."""
    assert disease_of(text) == disease
