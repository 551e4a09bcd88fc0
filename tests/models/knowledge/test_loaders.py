"""Loaders: passages that can be found again in their source, and a word for each record that gives none."""

import gzip
import json
import random
import tracemalloc
from pathlib import Path

import pytest

from models.knowledge.loaders import Rejected, load, source_files
from models.knowledge.loaders.chunks import chunks
from schemas.knowledge import Passage

PUBMED = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN"
 "https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">
<PubmedArticleSet>%s</PubmedArticleSet>"""
ARTICLE = """<PubmedArticle><MedlineCitation><PMID Version="1">%s</PMID><Article>
<Journal><JournalIssue><PubDate><Year>2024</Year></PubDate></JournalIssue>
<ISOAbbreviation>J Test</ISOAbbreviation></Journal>
<ArticleTitle>%s</ArticleTitle>%s
<AuthorList><Author><LastName>Doe</LastName></Author><Author><LastName>Roe</LastName></Author></AuthorList></Article>
<MeshHeadingList><MeshHeading><DescriptorName>Tomography, X-Ray Computed</DescriptorName></MeshHeading>
</MeshHeadingList>
</MedlineCitation></PubmedArticle>"""
ABSTRACT = """<Abstract><AbstractText Label="BACKGROUND">Stones are <i>hyperdense</i> on CT.</AbstractText>
<AbstractText Label="RESULTS">H<sub>2</sub>O measures 0&#160;HU &amp; less.</AbstractText></Abstract>"""

CHAPTER = """<?xml version="1.0"?>
<!DOCTYPE book-part-wrapper PUBLIC "-//NLM//DTD BITS Book Interchange DTD v2.0 20151225//EN" "BITS-book2.dtd">
<book-part-wrapper><book-meta><book-title-group><book-title>StatPearls</book-title></book-title-group></book-meta>
<book-part><book-part-meta><title-group><title>Renal Colic</title></title-group>
<contrib-group><contrib><name><surname>Doe</surname></name></contrib></contrib-group></book-part-meta>
<body>
<sec><title>Continuing Education Activity</title><p>Answer these questions.</p></sec>
<sec><title>Imaging</title><p>CT shows stones <xref>[1]</xref> well.<list><list-item><p>Size.</p></list-item></list></p>
<sec><title>Ultrasound</title><p>Without radiation.</p><list><list-item>In pregnancy.</list-item></list>
<table-wrap><table><tr><td>Stone</td><td>Twinkling</td></tr></table></table-wrap></sec></sec>
<sec><title>References</title><ref-list><ref><mixed-citation>Roe 1999</mixed-citation></ref></ref-list></sec>
</body></book-part></book-part-wrapper>"""


def loaded(path: Path) -> tuple[list[Passage], list[Rejected]]:
    found = [each for file, name in source_files(path) for each in load(file, name)]
    return [f for f in found if isinstance(f, Passage)], [f for f in found if isinstance(f, Rejected)]


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def packed(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_chunks_hold_all_once_and_none_too_long() -> None:
    """Whatever the text, pieces come in order, hold every sign that is no space once, and keep to the length."""
    draw = random.Random(3)
    for _ in range(300):
        text = "".join(draw.choices(["a", "bc", ". ", "? ", "D", "\n\n", " ", "x" * 40, "e.g. ", "3.5 "], k=60))
        start = draw.randrange(10)
        places = list(chunks(text, start, len(text), longest=50))
        pieces = [text[begin:end] for begin, end in places]
        assert all(0 < len(piece) <= 50 and piece == piece.strip() for piece in pieces)
        assert "".join("".join(pieces).split()) == "".join(text[start:].split())
        assert places == sorted(places)


def test_chunks_end_with_sentences() -> None:
    """Pieces are cut after sentences, not after abbreviations or within numbers."""
    text = "Stones measure 3.5 mm, e.g. in the ureter. They pass. Larger ones do not."
    assert [text[start:end] for start, end in chunks(text, 0, len(text), longest=55)] == [
        "Stones measure 3.5 mm, e.g. in the ureter. They pass.",
        "Larger ones do not.",
    ]


def test_markdown_is_cited_by_its_own_places(tmp_path: Path) -> None:
    """Each passage is found at its place in the file, under its headings; a heading within code is none."""
    text = "Intro é.\n\n# Renal CT\n\nStones.\n\n## Dose\n\n```\n# not a heading\n```\nLow.\n\n## Reading\n\nSlowly.\n"
    written(tmp_path / "own" / "a.md", text)
    written(tmp_path / "own" / "deep" / "b.txt", "# plain\nAir.")
    written(tmp_path / "own" / ".hidden.md", "no")
    passages, rejected = loaded(tmp_path / "own")
    assert rejected == []
    of_a = [each for each in passages if each.citation and each.citation.source == "a.md"]
    assert [each.citation.section for each in of_a if each.citation] == ["", "", "Dose", "Reading"]
    assert all(each.citation and text[each.citation.start : each.citation.end] == each.text for each in of_a)
    assert {each.modalities for each in of_a} == {("CT",)}
    assert {each.organs for each in of_a} == {("kidney",)}
    assert [(each.passage_id, each.text) for each in passages if each not in of_a] == [
        ("deep/b.txt#1", "# plain\nAir.")
    ]


def test_a_head_says_what_a_note_is_about(tmp_path: Path) -> None:
    """Title, reference and labels of a head are taken; a head that cannot be understood rejects the file."""
    head = "---\ntitle: Colic\nreference: Us, 2026\nmodalities: CT, ultrasound\norgans: Kidney\ndiseases: stone\n---\n"
    written(tmp_path / "good.md", head + "Stones.\n")
    written(tmp_path / "odd.md", "---\nauthor: x\n---\nText.")
    written(tmp_path / "wrong.md", "---\nmodalities: XCT\n---\nText.")
    (tmp_path / "latin.txt").write_bytes(b"\xe9t\xe9")
    (good,), rejected = loaded(tmp_path)
    assert (good.title, good.reference, good.organs, good.diseases) == (
        "Colic",
        "Us, 2026",
        ("kidney",),
        ("stone",),
    )
    assert set(good.modalities) == {"CT", "ultrasound"}
    assert [each.file for each in rejected] == ["latin.txt", "odd.md", "wrong.md"]
    assert "XCT" not in "".join(each.reason for each in rejected)


def test_pubmed_abstracts(tmp_path: Path) -> None:
    """Abstracts become passages under their labels, markup unfolded, with places in the abstract and a citation."""
    path = packed(tmp_path / "pubmed25n0001.xml.gz", PUBMED % (ARTICLE % ("123", "Kidney stones.", ABSTRACT)))
    passages, rejected = loaded(path)
    assert rejected == []
    text = "Stones are hyperdense on CT.\nH2O measures 0 HU & less."
    assert [each.text for each in passages] == text.split("\n")
    for each in passages:
        assert each.citation
        assert text[each.citation.start : each.citation.end] == each.text
    assert [each.citation.section for each in passages if each.citation] == ["Background", "Results"]
    assert passages[0].reference == "Doe et al., Kidney stones, J Test 2024, PMID 123"
    assert (passages[0].passage_id, passages[0].modalities, passages[0].organs) == (
        "pubmed:123#1",
        ("CT",),
        ("kidney",),
    )


def test_pubmed_records_that_give_nothing_are_named(tmp_path: Path) -> None:
    """No abstract, no PMID, a withdrawal, and a file that breaks off: each is told with its number, the others stay."""
    records = [
        ARTICLE % ("1", "Kidney", ""),
        ARTICLE % ("x", "Kidney", ABSTRACT),
        ARTICLE % ("3", "Kidney", ABSTRACT),
        "<DeleteCitation><PMID>9</PMID></DeleteCitation>",
        "<PubmedArticle><Med",
    ]
    passages, rejected = loaded(
        written(tmp_path / "p.xml", (PUBMED % "".join(records)).removesuffix("</PubmedArticleSet>"))
    )
    assert {each.passage_id for each in passages} == {"pubmed:3#1", "pubmed:3#2"}
    assert [(each.record, each.reason.split(",")[0]) for each in rejected] == [
        (1, "no abstract"),
        (2, "no PMID"),
        (4, "a list of withdrawn citations; leave them out of what is indexed"),
        (5, "the XML breaks off or is not well formed here; what follows was not read"),
    ]


LAUGHS = (
    '<!ENTITY e0 "ha">' + "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9)) + '<!ENTITY a "&e9;">'
)


@pytest.mark.parametrize(
    "declared",
    [
        LAUGHS,
        '<!ENTITY a SYSTEM "file:///etc/hostname">',
        '<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;',
        '<!ENTITY a "x">',
    ],
    ids=["billion laughs", "external", "parameter", "one harmless"],
)
@pytest.mark.parametrize("name", ["p.xml", "c.nxml"])
def test_declared_entities_are_refused(tmp_path: Path, declared: str, name: str) -> None:
    """A document that declares an entity of any kind is not read on, and opens nothing."""
    text = f"<!DOCTYPE d [{declared}]><PubmedArticleSet>{ARTICLE % ('1', '&a;', ABSTRACT)}</PubmedArticleSet>"
    passages, (rejected,) = loaded(written(tmp_path / name, text))
    assert passages == []
    assert "entities" in rejected.reason or "not well formed" in rejected.reason


def test_a_record_that_unpacks_without_end_stops(tmp_path: Path) -> None:
    """A file of kilobytes whose one title is 150 MiB long is left at the bound, in bounded memory."""
    path = tmp_path / "bomb.xml.gz"
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(b"<PubmedArticleSet><PubmedArticle><MedlineCitation><ArticleTitle>")
        for _ in range(150):
            file.write(b"a" * 2**20)
    tracemalloc.start()
    _, (rejected,) = loaded(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "larger than 16 MiB" in rejected.reason
    assert peak < 100 * 2**20


def test_records_do_not_pile_up(tmp_path: Path) -> None:
    """A file of 12 MB is read in the memory of a few."""
    long = f"{ABSTRACT}<OtherAbstract><AbstractText>{'Stones. ' * 5000}</AbstractText></OtherAbstract>"
    path = packed(tmp_path / "many.xml.gz", PUBMED % "".join(ARTICLE % (n, "T", long) for n in range(300)))
    tracemalloc.start()
    assert sum(1 for _ in load(path, path.name)) == 600
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 2**20


def test_a_truncated_gzip_is_named(tmp_path: Path) -> None:
    """What was whole before the break stays."""
    text = PUBMED % "".join(ARTICLE % (n, "T", ABSTRACT) for n in range(1, 800))
    path = tmp_path / "cut.xml.gz"
    path.write_bytes(gzip.compress(text.encode())[:-200])
    passages, rejected = loaded(path)
    assert passages
    assert [each.reason for each in rejected] == [
        "the file cannot be read to its end; check that it is whole and who may read it"
    ]


def test_bookshelf_chapters(tmp_path: Path) -> None:
    """Sections, lists and table rows of a chapter are passages under their headings; quizzes and references are not."""
    passages, rejected = loaded(written(tmp_path / "NBK1.nxml", CHAPTER))
    assert rejected == []
    assert [(each.citation.section, each.text) for each in passages if each.citation] == [
        ("Imaging", "CT shows stones well.Size."),
        ("Imaging › Ultrasound", "Without radiation.\n\nIn pregnancy.\n\nStone | Twinkling"),
    ]
    assert passages[0].reference == "Doe, Renal Colic, StatPearls, NCBI Bookshelf"
    assert passages[0].passage_id == "bookshelf:NBK1#1"
    assert passages[0].organs == ("kidney",)


def test_files_without_a_loader_or_a_record_are_named(tmp_path: Path) -> None:
    """Nothing in a folder is left out without a word."""
    written(tmp_path / "a.pdf", "x")
    written(tmp_path / "b.xml", "<other/>")
    written(tmp_path / "c.nxml", "<book-part><body><p>x</p></body></book-part>")
    written(tmp_path / "d.md", "\n")
    written(tmp_path / "e.xml.gz", "not gzip")
    good = {"passage_id": "a", "title": "T", "text": "X.", "reference": "R"}
    written(tmp_path / "f.jsonl", json.dumps(good) + "\n\nnonsense\n" + json.dumps(good | {"title": 3}))
    passages, rejected = loaded(tmp_path)
    assert [each.passage_id for each in passages] == ["a"]
    assert [(each.file, each.record) for each in rejected] == [
        ("a.pdf", 0), ("b.xml", 0), ("c.nxml", 1), ("d.md", 1), ("e.xml.gz", 0), ("f.jsonl", 3), ("f.jsonl", 4),
    ]  # fmt: skip
