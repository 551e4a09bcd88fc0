"""Wikipedia's dumps, MedQuAD and PDF: small files of the real layouts, and what is said of what they do not give."""

import bz2
import json
import sys
from pathlib import Path

import pytest

from models.knowledge.loaders import Rejected, load, source_files
from schemas.knowledge import Passage

DUMP = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">
<siteinfo><sitename>Wikipedia</sitename><dbname>enwiki</dbname></siteinfo>
<page><title>Pneumothorax</title><ns>0</ns><id>174626</id><revision><id>99</id><timestamp>2026-01-02T03:04:05Z</timestamp>
<model>wikitext</model><format>text/x-wiki</format><text bytes="9" xml:space="preserve">{{Short description|Air}}
{{Infobox medical condition|name=Pneumothorax|field=[[Pulmonology]]}}
[[File:film.jpg|thumb|A caption that is no prose]]
A '''pneumothorax''' is air in the [[pleural cavity|pleural space]].&lt;ref name="a">{{cite book|title=X}}&lt;/ref>
It is large beyond {{convert|2|cm|in}}. It measures {{unknown box|7}} in some. Most are small.

== Diagnosis ==
The line is seen on an X-ray.{{citation needed|date=May 2026}}
{| class="wikitable"
| a || cell
|}
=== Ultrasound ===
* Lung sliding is absent.
== References ==
{{reflist}}
[[Category:Pleura]]</text></revision></page>
<page><title>Collapsed lung (disease)</title><ns>0</ns><id>2</id><redirect title="Pneumothorax" />
<revision><id>3</id><timestamp>2026-01-02T03:04:05Z</timestamp><text>#REDIRECT [[Pneumothorax]]</text></revision></page>
<page><title>Oranges</title><ns>0</ns><id>4</id><revision><id>5</id><timestamp>2026-01-02T03:04:05Z</timestamp>
<text>An orange is a fruit.</text></revision></page>
<page><title>Talk:Pneumothorax</title><ns>1</ns><id>6</id><revision><id>7</id><timestamp>2026-01-02T03:04:05Z</timestamp>
<text>I disagree.</text></revision></page>
</mediawiki>"""
MEDQUAD = """<?xml version="1.0" encoding="UTF-8"?>
<Document id="0000001" source="CancerGov" url="https://www.cancer.gov/x">
<Focus>Kidney Stones</Focus>
<FocusAnnotations><UMLS><CUIs><CUI>C0022650</CUI></CUIs></UMLS></FocusAnnotations>
<QAPairs><QAPair pid="1"><Question qid="0000001-1" qtype="information">What are Kidney Stones ?</Question>
<Answer>Key Points - Stones form
 in the kidney. CT shows them.</Answer></QAPair>
<QAPair pid="2"><Question qid="0000001-2" qtype="treatment">How are they treated?</Question><Answer/></QAPair>
</QAPairs></Document>"""


def loaded(path: Path) -> tuple[list[Passage], list[Rejected]]:
    found = [each for file, name in source_files(path) for each in load(file, name)]
    return [f for f in found if isinstance(f, Passage)], [f for f in found if isinstance(f, Rejected)]


@pytest.mark.parametrize("packed", [False, True])
def test_wikipedia(tmp_path: Path, packed: bool) -> None:
    """Articles on terms of the vocabulary, their prose without markup, cited by revision; others are told."""
    path = tmp_path / f"enwiki-pages-articles.xml{'.bz2' if packed else ''}"
    path.write_bytes(bz2.compress(DUMP.encode()) if packed else DUMP.encode())
    passages, rejected = loaded(path)
    assert [(each.title, each.text) for each in passages] == [
        ("Pneumothorax", "A pneumothorax is air in the pleural space.\n\nIt is large beyond 2 cm. Most are small."),
        ("Pneumothorax › Diagnosis", "The line is seen on an X-ray."),
        ("Pneumothorax › Diagnosis › Ultrasound", "Lung sliding is absent."),
    ]
    assert passages[0].reference == "Pneumothorax, Wikipedia (enwiki), revision 99 of 2026-01-02, CC BY-SA 4.0"
    assert (passages[0].passage_id, passages[0].diseases) == ("enwiki:174626#1", ("pneumothorax",))
    text = "\n\n".join(each.text for each in passages)
    assert all(each.citation and text[each.citation.start : each.citation.end] == each.text for each in passages)
    assert [(each.record, "no article" in each.reason) for each in rejected] == [(0, True)]


def test_a_dump_that_breaks_off_keeps_what_was_read(tmp_path: Path) -> None:
    """The pages before the break stay, and the break is told."""
    path = tmp_path / "dump.xml"
    path.write_text(DUMP[: DUMP.index("<title>Oranges")])
    passages, rejected = loaded(path)
    assert len(passages) == 3
    assert any("breaks off" in each.reason for each in rejected)


def test_medquad(tmp_path: Path) -> None:
    """Each answer is a passage about its focus, under its question; a question without an answer is told."""
    (tmp_path / "0000001.xml").write_text(MEDQUAD)
    (passage,), (rejected,) = loaded(tmp_path)
    assert passage.text == "Key Points - Stones form in the kidney. CT shows them."
    assert passage.passage_id == "medquad:CancerGov:0000001-1#1"
    assert passage.title == "Kidney Stones › What are Kidney Stones ?"
    assert (passage.diseases, passage.organs) == (("kidney stone",), ("kidney",))
    assert passage.reference == "What are Kidney Stones ?, https://www.cancer.gov/x"
    assert (rejected.record, rejected.reason) == (2, "no answer: some parts of MedQuAD were published without")


@pytest.mark.parametrize("form", ["array", "table", "lines"])
def test_questions_and_answers_as_json(tmp_path: Path, form: str) -> None:
    """An array, an array within an object, and JSON Lines give the same passages, under either set of names."""
    rows = [
        {"question": "What is Glaucoma?", "answer": "It harms nerves.", "focus_area": "Glaucoma", "source": "N"},
        {"qtype": "symptoms", "Question": "What are the signs of Cataract ?", "Answer": "Cloudy sight."},
        {"question": "", "answer": "No one asked."},
    ]  # fmt: skip
    if form == "lines":
        (tmp_path / "qa.jsonl").write_text("\n".join(map(json.dumps, rows)))
    else:
        (tmp_path / "qa.json").write_text(json.dumps(rows if form == "array" else {"data": rows}))
    passages, rejected = loaded(tmp_path)
    assert [(each.title, each.text) for each in passages] == [
        ("Glaucoma › What is Glaucoma?", "It harms nerves."),
        ("What are the signs of Cataract ?", "Cloudy sight."),
    ]
    assert passages[0].reference == "What is Glaucoma?, N"
    assert [(each.record, each.reason) for each in rejected] == [(3, "no question")]


def test_json_of_other_kinds_is_told(tmp_path: Path) -> None:
    """What is no array of records, and what is no JSON, gives no passage and a reason."""
    (tmp_path / "a.json").write_text('{"a": 1}')
    (tmp_path / "b.json").write_text("{")
    passages, rejected = loaded(tmp_path)
    assert passages == []
    assert [each.reason for each in rejected] == ["no array of questions and answers", "not JSON in UTF-8"]


def pdf_of(pages: list[list[str]], title: str = "") -> bytes:
    """A PDF with a text layer: lines in Helvetica, a page each."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids: list[str] = []
    for lines in pages:
        shown = " ".join(f"({line}) Tj T*" for line in lines)
        content = f"BT /F1 11 Tf 14 TL 60 760 Td {shown} ET"
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects)} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    objects.append(f"<< /Title ({title}) /Author (Roe) >>")
    data, places = b"%PDF-1.4\n", list[int]()
    for number, body in enumerate(objects, start=1):
        places.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    trailer = f"<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>"
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n{trailer}\nstartxref\n{len(data)}\n%%EOF\n"
    return data + end.encode()


def test_pdf(tmp_path: Path) -> None:
    """A page is a section; lines are joined, cut words whole again, running titles and bare pages left out."""
    kinds = ("Oxalate", "Urate", "Cystine", "Struvite", "Brushite")
    pages = [
        [f"Textbook of Stones {n}", f"{kind} is seen on com-", f"puted tomography; {kind}", f"{kind} shadows {n}."]
        for n, kind in enumerate(kinds, start=1)
    ]

    (tmp_path / "stones.pdf").write_bytes(pdf_of([["Stones"], *pages], "Kidney stones on CT"))
    passages, rejected = loaded(tmp_path)
    assert rejected == []
    assert [each.text for each in passages] == [
        f"{kind} is seen on computed tomography; {kind} {kind} shadows {n}." for n, kind in enumerate(kinds, start=1)
    ]
    assert passages[0].reference == "Roe, Kidney stones on CT (stones.pdf)"
    assert [each.citation.section for each in passages if each.citation] == [f"page {n}" for n in range(2, 7)]
    assert len({each.passage_id for each in passages}) == 5
    assert passages[0].diseases == ("kidney stone",)


def test_pdf_without_words_and_no_pdf(tmp_path: Path) -> None:
    """A scan and a damaged file are told apart, and neither ends the reading."""
    (tmp_path / "scan.pdf").write_bytes(pdf_of([[], []]))
    (tmp_path / "torn.pdf").write_bytes(pdf_of([["Words"]])[:200])
    passages, rejected = loaded(tmp_path)
    assert passages == []
    assert ["recognition" in each.reason for each in rejected] == [True, False]
    assert "pypdf can read" in rejected[1].reason


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the libraries of the extra, a file says what to install."""
    for library in ("pypdf", "pypdf.errors", "mwparserfromhell"):
        monkeypatch.setitem(sys.modules, library, None)
    (tmp_path / "a.pdf").write_bytes(pdf_of([["Words"]]))
    (tmp_path / "b.xml").write_text(DUMP)
    passages, rejected = loaded(tmp_path)
    assert passages == []
    assert all("tristream[books]" in each.reason for each in rejected)
