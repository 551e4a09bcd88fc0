"""`tristream describe-eval`: the composer on real files, and a model behind an OpenAI-compatible API."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pydicom.data import get_testdata_file

from infra.cli import main
from models.describers.scoring import share_of

FILES = ("CT_small.dcm", "MR_small.dcm", "RG1_UNCR.dcm", "US1_UNCR.dcm")

# pycocotools 2.0.11 decodes through an __array__ of the old kind.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def triplets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of real images of four modalities; of each the first frame."""
    path = tmp_path_factory.mktemp("annotated") / "triplets.jsonl"
    files = [str(get_testdata_file(name, download=False)) for name in FILES]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TRISTREAM_STATE", str(path.parent / "state"))
        result = CliRunner().invoke(
            main, ["annotate", *files, "--frames", "spread:1", "--jobs", "1", "--triplets", str(path)]
        )
    assert result.exit_code == 0, result.output
    return path


class Model:
    """An OpenAI-compatible server. Its model says what kind of image each is, names r1, and invents a little."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.fails_after: int | None = None
        self.refuses: set[int] = set()

    def answer(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Of a chat completion: status and body."""
        self.asked.append(request)
        if self.fails_after is not None and len(self.asked) > self.fails_after:
            return 401, {}
        if len(self.asked) in self.refuses:
            return 400, {"message": "no"}
        schema = request["response_format"]["json_schema"]["schema"]
        if "sentences" in schema["properties"]:
            said: dict[str, Any] = {"sentences": [""] * schema["properties"]["sentences"]["minItems"]}
        else:
            told = request["messages"][1]["content"][1]["text"]
            first = told.partition("r1: ")[2].partition(". ")[0].splitlines()
            article = "an" if first and first[0][0] in "aeio" else "a"
            said = {
                "modality": [told.splitlines()[0], "This is a PET image."],
                "organ": [],
                "regions": [f"Region r1 is {article} {first[0].rstrip('.')}." if first else "Region r1 is outlined."],
                "texture": ["It has feathery fronds."],
                "relations": [],
            }
        usage = {"prompt_tokens": 700 + len(self.asked), "completion_tokens": 50}
        choice = {"message": {"content": json.dumps(said)}, "finish_reason": "stop"}
        return 200, {"choices": [choice], "usage": usage}


@pytest.fixture
def served() -> Iterator[tuple[str, Model]]:
    """The address of a server, and its model."""
    model = Model()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == "/v1/models"
            self.reply(200 if known else 404, {"data": [{"id": "any/vlm"}]} if known else {})

        def do_POST(self) -> None:
            self.reply(*model.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"])))))

        def reply(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", model
    server.shutdown()
    thread.join()
    server.server_close()


def run(triplets: Path, out: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["describe-eval", "--triplets", str(triplets), "--out", str(out), *options])


def report_of(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])


def test_the_composer_on_real_images(triplets: Path, tmp_path: Path) -> None:
    """All of its sentences are supported; with so few images nothing is promised of others."""
    report = report_of(run(triplets, tmp_path / "scores.jsonl", "--json", "--report", str(tmp_path / "report.json")))
    assert report == json.loads((tmp_path / "report.json").read_text())
    assert report["images"] == len(FILES)
    assert report["describer"].startswith("composer@")
    supported = report["final"]["supported"]
    assert supported["share"] == 1.0
    assert supported["n"] >= len(FILES)
    assert supported["low"] < 0.9, "of four images"
    # Rules found all but a radiograph's lung fields, one of which would be put before a model, and no text tells of
    # what only a rule has found.
    regions = report["regions"]
    assert round(regions["share"] * regions["n"]) == 1
    assert regions["n"] > 1
    assert report["words"]["median"] > 3
    assert 0 <= report["self_bleu_4"] < 1
    assert report["self_bleu_4_of_six"] is None


def test_a_model_is_scored_by_its_own_sentences(triplets: Path, tmp_path: Path, served: tuple[str, Model]) -> None:
    """As first written and after they were sent back; what the composer filled in counts for nothing."""
    url, model = served
    out = tmp_path / "scores.jsonl"
    report = report_of(run(triplets, out, "--url", url, "--model", "any/vlm@1", "--json"))
    scores = [json.loads(line) for line in out.read_text().splitlines()]
    assert report["images"] == len(scores) == len(FILES)
    assert report["describer"] == "any/vlm@1"
    assert sum(one["n"] for one in report["drafted"].values()) == 3 * 4 * len(FILES), "four sentences each"
    for one in scores:
        assert one["drafted"]["contradicted"] >= 1, "a PET image"
        assert one["drafted"]["unsupported"] >= 1, "feathery fronds"
        assert set(one["final"]) == {"supported"}, "what was sent back was left out"
        assert one["requests"] == 2
        assert "feathery" not in one["text"]
    assert report["final"]["supported"]["share"] == 1.0
    assert report["prompt_tokens"]["median"] > 700
    assert report["regions"]["share"] > 0
    assert len(model.asked) == 2 * len(FILES)


def test_a_run_that_breaks_off_is_gone_on_with(triplets: Path, tmp_path: Path, served: tuple[str, Model]) -> None:
    """What was scored is not asked again, and each image stands once."""
    url, model = served
    out = tmp_path / "scores.jsonl"
    model.fails_after = 4
    options = ("--url", url, "--model", "any/vlm@1", "--json")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TRISTREAM_SGLANG_CONCURRENCY", "1")
        broken = run(triplets, out, *options)
        assert broken.exit_code == 1
        assert "TRISTREAM_SGLANG_API_KEY" in broken.output
        assert not out.exists()
        again = run(triplets, out, *options)
        assert again.exit_code == 1
        assert "--resume" in again.output
        model.fails_after, before = None, len(model.asked)
        report = report_of(run(triplets, out, *options, "--resume"))
    assert report["images"] == len(FILES)
    assert len(model.asked) - before == 2 * (len(FILES) - 2)
    keys = [json.loads(line)["key"] for line in out.read_text().splitlines()]
    assert len(keys) == len(set(keys)) == len(FILES)


def test_scores_of_another_describer_are_not_gone_on_with(
    triplets: Path, tmp_path: Path, served: tuple[str, Model]
) -> None:
    """Two describers are two reports."""
    out = tmp_path / "scores.jsonl"
    report_of(run(triplets, out, "--json"))
    mixed = run(triplets, out, "--url", served[0], "--model", "any/vlm@1", "--resume")
    assert mixed.exit_code == 1
    assert "composer@" in mixed.output


def test_images_that_the_server_refuses_are_told(triplets: Path, tmp_path: Path, served: tuple[str, Model]) -> None:
    """With the reason, and the rest is scored; only if none could be described is it an error."""
    url, model = served
    model.refuses = {1}
    options = ("--url", url, "--model", "any/vlm@1", "--json")
    report = report_of(run(triplets, tmp_path / "some.jsonl", *options))
    assert report["images"] == len(FILES) - 1
    ((reason, n),) = report["failed"].items()
    assert "HTTP 400" in reason
    assert n == 1
    model.refuses = set(range(1, 1000))
    assert run(triplets, tmp_path / "none.jsonl", *options).exit_code == 1


def test_only_what_a_data_set_holds_out(triplets: Path, tmp_path: Path) -> None:
    """Of its index the test split; a folder without an index is told."""
    ids = [json.loads(line)["triplet_id"] for line in triplets.read_text().splitlines()]
    splits = ("test", "train", "test", "validation")
    rows = ({"triplet_id": one, "split": split} for one, split in zip(ids, splits, strict=True))
    (tmp_path / "index.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "scores.jsonl"
    assert run(triplets, out, "--held-out", str(tmp_path)).exit_code == 0
    assert {json.loads(line)["key"] for line in out.read_text().splitlines()} == {ids[0], ids[2]}
    (tmp_path / "index.jsonl").unlink()
    result = run(triplets, tmp_path / "more.jsonl", "--held-out", str(tmp_path))
    assert result.exit_code == 1
    assert "index.jsonl" in result.output


def test_a_limit_draws_the_same_images_in_whatever_order_they_stand(triplets: Path, tmp_path: Path) -> None:
    """Of the images that are held out, too; so what is scored does not hang on how a file is sorted."""
    lines = triplets.read_text().splitlines()
    ids = [json.loads(line)["triplet_id"] for line in lines]
    (tmp_path / "index.jsonl").write_text(
        "".join(json.dumps({"triplet_id": one, "split": "test" if one != ids[0] else "train"}) + "\n" for one in ids)
    )
    turned = tmp_path / "turned.jsonl"
    turned.write_text("".join(line + "\n" for line in reversed(lines)))

    def drawn(path: Path, limit: int) -> set[str]:
        out = tmp_path / f"{path.stem}-{limit}.jsonl"
        assert run(path, out, "--limit", str(limit), "--held-out", str(tmp_path)).exit_code == 0
        return {json.loads(line)["key"] for line in out.read_text().splitlines()}

    one, two = drawn(triplets, 1), drawn(triplets, 2)
    assert len(one) == 1
    assert len(two) == 2
    assert one < two < set(ids[1:])
    assert (drawn(turned, 1), drawn(turned, 2)) == (one, two)


def test_it_prints_a_table(triplets: Path, tmp_path: Path) -> None:
    """For a person."""
    result = run(triplets, tmp_path / "scores.jsonl", "--limit", "2")
    assert result.exit_code == 0
    assert "supported, as first written" in result.output
    assert "regions named" in result.output


@pytest.mark.parametrize(
    ("lines", "options", "status"),
    [
        (b"", (), 2), (b'{"triplet_id": 1}\n', (), 1), (b"no JSON\n", (), 1), (b"", ("--describer", "model"), 2),
        (b"", ("--url", "127.0.0.1:1"), 2), (b"", ("--url", "http://127.0.0.1:1"), 2),
    ],
)  # fmt: skip
def test_bad_usage_is_told(tmp_path: Path, lines: bytes, options: tuple[str, ...], status: int) -> None:
    """In a line, without a traceback; nothing is left behind."""
    path, out = tmp_path / "triplets.jsonl", tmp_path / "scores.jsonl"
    path.write_bytes(lines)
    result = run(path, out, *options)
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    assert sorted(one.name for one in tmp_path.iterdir()) == ["triplets.jsonl"]


def test_intervals() -> None:
    """Narrow with many images, wide with few; sentences of one image are not so many witnesses."""
    many, few = share_of([(1, 2), (2, 2)] * 200), share_of([(1, 2), (2, 2)] * 2)
    assert many is not None
    assert few is not None
    assert many.share == few.share == 0.75
    assert many.low < 0.75 < many.high
    assert many.high - many.low < 0.06 < few.high - few.low
    alone = share_of([(100, 100)])
    assert alone is not None
    assert alone.low < 0.25
    single = share_of([(1, 3)])
    assert single is not None
    assert single.high - single.low > 0.8, "one image tells next to nothing of others"
    assert share_of([(0, 0)]) is None
