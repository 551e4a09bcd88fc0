"""What an image belongs to: hashes that keep together what belongs together, and say nothing of whom."""

import numpy as np
import orjson
import pytest

from models.imaging import FramePolicy, encode_png, open_source
from models.imaging.belonging import Belonging
from schemas.base import Provenance
from streams.identity import Identity
from tests.models.imaging.samples import MakeDicom

ALL = FramePolicy()
KEYED = Identity(b"a key of the tests").group_id
PNG = encode_png(np.zeros((4, 4), np.uint8))
PLACE = ("folder", "file:///scans/DOE")


def found(data: bytes, sidecar: object = None, keyed: object = KEYED) -> Provenance:
    told = None if sidecar is None else orjson.dumps(sidecar)
    return open_source(data, ALL, sidecar=told).belonging.provenance(keyed, PLACE)  # type: ignore[arg-type]


def test_a_header_tells_patient_study_and_series(make_dicom: MakeDicom) -> None:
    """Padding and case have no part in a patient's hash; another patient, kind or key has another hash."""

    def dicom(patient: str) -> bytes:
        told = {"PatientID": patient, "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3"}
        return make_dicom(np.ones((4, 4), np.uint16), **told)

    first, again, other = found(dicom("Doe7")), found(dicom(" DOE7 ")), found(dicom("DOE8"))
    assert first == again
    assert first.patient_by == "header"
    assert len({first.patient, other.patient, first.study, first.series}) == 4
    assert (other.study, other.series) == (first.study, first.series)
    keyed = found(dicom("Doe7"), keyed=Identity(b"another key of tests").group_id)
    assert not {keyed.patient, keyed.study, keyed.series} & {first.patient, first.study, first.series}
    assert (first.text_from, first.missing) == (("header",), ("source", "licence"))
    assert "doe" not in repr(first).casefold()


@pytest.mark.parametrize("patient", ["", "ANONYMOUS", "^", "0", "unknown "])
def test_a_placeholder_is_no_patient(make_dicom: MakeDicom, patient: str) -> None:
    """Images that share one are not of one patient: the folder stands in, and says so."""
    told = found(make_dicom(np.ones((4, 4), np.uint16), PatientID=patient))
    assert told.patient_by == "folder"
    assert told.patient == found(PNG).patient


def test_a_sidecar_goes_before_the_header_and_its_collection_tells_its_patients_apart(make_dicom: MakeDicom) -> None:
    """Two collections have a patient 1 each. Source, licence and split go out as they stand."""
    data = make_dicom(np.ones((4, 4), np.uint16), PatientID="DOE", StudyInstanceUID="1.2.3")
    said = {"patient": "1", "source": "A@1", "licence": "CC-BY-4.0", "split": "test", "organ": "liver", "disease": "?"}
    one, other = found(data, said), found(data, said | {"source": "B"})
    assert (one.patient_by, one.source, one.licence, one.split) == ("sidecar", "A@1", "CC-BY-4.0", "test")
    assert one.patient != other.patient
    assert one.study == other.study == found(data).study
    assert one.text_from == ("header", "organ")  # The disease is no word of the vocabulary.


def test_without_anything_told_the_place_stands_for_the_patient_by_policy() -> None:
    """Its folder, the file itself, or nothing."""
    told = Belonging()
    by = {place: told.provenance(KEYED, place) for place in (PLACE, ("file", "file:///scans/DOE/1.png"), None)}
    assert [one.patient_by for one in by.values()] == ["folder", "file", None]
    assert len({one.patient for one in by.values()}) == 3
    assert by[None].missing == ("source", "licence", "patient", "study", "series")


def test_no_repr_shows_an_identifier(make_dicom: MakeDicom) -> None:
    """They can end in a log or an error."""
    data = make_dicom(np.ones((4, 4), np.uint16), PatientID="DOE", StudyInstanceUID="1.2.826", SeriesInstanceUID="1.3")
    source = open_source(data, ALL, sidecar=orjson.dumps({"patient": "JANE"}))
    assert source.belonging.header.patient == "doe"
    shown = f"{source!r} {source.belonging!r}".casefold()
    assert not any(word in shown for word in ("doe", "jane", "1.2.826"))
