"""Settings: what a variable says is what a worker gets, and each is documented."""

import dataclasses
import re
from pathlib import Path

import click
import pytest

from agents.places import BadSetting
from agents.settings import HANDED_ON
from infra.console import current_settings
from infra.variables import PREFIX, from_environment, variables
from models.describers.settings import Serving
from schemas.experts import ExpertRuntime
from schemas.limits import Limits
from schemas.weaviate import WeaviateServer
from streams.settings import Security

REPOSITORY = Path(__file__).parents[2]
ROW = re.compile(r"^\| `(TRISTREAM_[A-Z_]+)`.*?\| (.*?) \|", re.MULTILINE)
LIMIT, SGLANG, KAFKA, EXPERT = (f"{PREFIX}{part}_" for part in ("LIMIT", "SGLANG", "KAFKA", "EXPERT"))
DOCUMENTED = dict(ROW.findall((REPOSITORY / "docs/configuration.md").read_text()))


def test_every_limit_is_documented_with_its_default() -> None:
    """The table in docs/configuration.md is the dataclass, no more and no less."""
    table = {name: float(default) for name, default in DOCUMENTED.items() if name.startswith(LIMIT)}
    assert table == {LIMIT + field.name.upper(): field.default for field in dataclasses.fields(Limits)}


def test_every_setting_is_documented() -> None:
    """No variable is read that the table does not name; nor does it name one that is not."""
    assert set(variables()) - {f"{PREFIX}BOOTSTRAP"} | {f"{PREFIX}KAFKA", HANDED_ON} == set(DOCUMENTED)


def test_the_whole_tree_reaches_a_child() -> None:
    """Every field, whatever the child's own variables say; options of its command line still win."""
    given = {"TRISTREAM_LIMIT_PIXELS": "1000", "TRISTREAM_KEY": "aa" * 16, "TRISTREAM_WEAVIATE_URL": "http://h:1"}
    settings = from_environment(given)
    handed = settings.handed_on() | {"TRISTREAM_FRAMES": "every:2"}
    assert from_environment(handed) == settings
    assert from_environment(handed, {"TRISTREAM_FRAMES": "every:3"}).frames == "every:3"


def test_options_win_over_variables() -> None:
    """What is typed at a command counts more than what a shell's profile says."""
    given = {"TRISTREAM_BOOTSTRAP": "a:1"}
    assert from_environment(given).wires.bootstrap == "a:1"
    assert from_environment(given, {"TRISTREAM_KAFKA": "c:1"}).wires.bootstrap == "c:1"


def test_a_value_that_cannot_be_used_is_not_printed() -> None:
    """It may be a password in the wrong variable."""
    with pytest.raises(BadSetting, match="TRISTREAM_IN_FLIGHT") as caught:
        from_environment({"TRISTREAM_IN_FLIGHT": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_experts_reach_a_worker() -> None:
    """A worker runs the experts of the one that started it, as that one would; a misspelt processor is named."""
    settings = from_environment({f"{PREFIX}EXPERTS": "/experts", f"{EXPERT}BATCH": "4", f"{EXPERT}PROCESSORS": "cpu"})
    assert settings.expert_runtime == ExpertRuntime(batch=4, processors="cpu")
    assert from_environment(settings.handed_on()) == settings
    with pytest.raises(BadSetting, match="EXPERT_PROCESSORS"):
        from_environment({f"{EXPERT}PROCESSORS": "gpu"})


def test_security_reaches_a_worker_and_no_print() -> None:
    """A worker logs in as the one that started it; the password is in no repr."""
    given = {"PROTOCOL": "SASL_SSL", "USERNAME": "tristream", "PASSWORD": "hidden", "CA": "/ca.pem"}
    settings = from_environment({KAFKA + name: value for name, value in given.items()})
    assert settings.wires.security == Security("SASL_SSL", username="tristream", password="hidden", ca=Path("/ca.pem"))
    assert from_environment(settings.handed_on()) == settings
    assert "hidden" not in repr(settings)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"PROTOCOL": "TLS"}, "PROTOCOL"),
        ({"PROTOCOL": "SASL_SSL", "USERNAME": "u", "PASSWORD": "p", "MECHANISM": "GSSAPI"}, "MECHANISM"),
        ({"PROTOCOL": "SASL_SSL", "USERNAME": "u"}, "PASSWORD_FILE"),
        ({"PROTOCOL": "SASL_SSL", "USERNAME": "u", "PASSWORD": "p", "PASSWORD_FILE": "f"}, "PASSWORD_FILE"),
        ({"PROTOCOL": "SSL", "CERTIFICATE": "c"}, "KEY"),
        ({"USERNAME": "u", "PASSWORD": "p"}, "PROTOCOL"),
        ({"PROTOCOL": "SASL_PLAINTEXT", "USERNAME": "u", "PASSWORD": "p", "CA": "c"}, "PROTOCOL"),
    ],
)
def test_security_that_makes_no_sense_is_refused(given: dict[str, str], named: str) -> None:
    """Half a login, or one that would go unused, is a mistake to name before anything is sent."""
    with pytest.raises(BadSetting, match=KAFKA + named):
        from_environment({KAFKA + name: value for name, value in given.items()})


def test_every_limit_that_an_error_names_exists() -> None:
    """A dead letter that says "raise TRISTREAM_LIMIT_X" names a variable that is read."""
    rooms = ("schemas", "streams", "models", "agents")
    sources = [path.read_text() for room in rooms for path in (REPOSITORY / room).rglob("*.py")]
    named = {name for source in sources for name in re.findall(r"TRISTREAM_LIMIT_([A-Z_]+)", source)}
    named |= {name.upper() for source in sources for name in re.findall(r'TooLarge\("[^"]+", "(\w+)"', source)}
    assert named
    assert named <= {field.name.upper() for field in dataclasses.fields(Limits)}


def test_limits_reach_a_worker_through_its_environment() -> None:
    """What one process was told, the processes that it starts are told."""
    settings = from_environment({"TRISTREAM_LIMIT_SECONDS": "2.5", "TRISTREAM_LIMIT_PIXELS": "1000"})
    assert settings.limits == Limits(seconds=2.5, pixels=1000)
    assert from_environment(settings.handed_on()).limits == settings.limits


def test_the_knowledge_base_reaches_a_worker_through_its_environment() -> None:
    """Where Weaviate is, its key too, and the key is not shown where settings are printed."""
    named = {
        "TRISTREAM_WEAVIATE_URL": "https://weaviate.example",
        "TRISTREAM_WEAVIATE_GRPC": "grpc.example:443",
        "TRISTREAM_WEAVIATE_API_KEY": "hush",
        "TRISTREAM_WEAVIATE_ALIAS": "Own",
        "TRISTREAM_KNOWLEDGE": "/somewhere/own.npz",
        "TRISTREAM_ENCODER": "/somewhere/medcpt",
    }
    settings = from_environment(named)
    server = WeaviateServer("https://weaviate.example", "grpc.example:443", "hush", "Own")
    child = from_environment(settings.handed_on())
    assert (child.weaviate, child.knowledge, child.encoder) == (
        server,
        Path("/somewhere/own.npz"),
        Path("/somewhere/medcpt"),
    )
    assert set(named) <= set(DOCUMENTED)
    assert "hush" not in repr(settings)


@pytest.mark.parametrize("url", ["weaviate.example:8080", "ftp://weaviate.example", "https://a:b@weaviate.example"])
def test_an_address_of_weaviate_that_cannot_be_used_is_named(url: str) -> None:
    """Without a scheme there is no telling whether TLS is meant; a password in a URL would end in logs."""
    with pytest.raises(BadSetting, match="URL of Weaviate"):
        from_environment({"TRISTREAM_WEAVIATE_URL": url})


@pytest.mark.parametrize(("variable", "value"), [("LIMIT_PIXELS", "many"), ("LIMIT_MEMORY", "0"), ("LOW_WATER", "1e9")])
def test_a_value_that_cannot_be_used_is_named(variable: str, value: str) -> None:
    """The message says which variable to mend."""
    with pytest.raises(BadSetting, match=f"(?i){variable.removeprefix('LIMIT_')}") as caught:
        from_environment({PREFIX + variable: value})
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("field", dataclasses.fields(Serving), ids=lambda field: field.name)
def test_every_setting_of_the_model_is_documented_with_its_default(field: dataclasses.Field[object]) -> None:
    """One row a field; what has no default has an empty cell."""
    prefix = PREFIX if field.name == "unsupported" else SGLANG
    told = DOCUMENTED[prefix + field.name.upper()].strip("`")
    default = field.default
    assert told == ("none" if default in (None, "") else f"{default:g}" if isinstance(default, float) else str(default))


def test_the_model_reaches_a_worker_and_its_key_stays_out_of_sight() -> None:
    """All of it goes through the environment; a repr does not show the key."""
    given = {
        "TRISTREAM_SGLANG_URL": "http://h:1", "TRISTREAM_SGLANG_MODEL": "m@1", "TRISTREAM_SGLANG_API_KEY": "hidden",
        "TRISTREAM_SGLANG_DEADLINE": "7.5", "TRISTREAM_UNSUPPORTED": "mark", "TRISTREAM_SGLANG_GENERATION": "2",
    }  # fmt: skip
    settings = from_environment(given)
    assert settings.serving == Serving("http://h:1", "m@1", "hidden", deadline=7.5, unsupported="mark", generation=2)
    assert from_environment(settings.handed_on()).serving == settings.serving
    assert "hidden" not in repr(settings)


def test_neighbours_reach_a_worker_and_are_few() -> None:
    """From 0, which is the default, to 3 on each side; more would make a message larger than seven."""
    assert f"{PREFIX}NEIGHBOURS" in DOCUMENTED
    assert from_environment({}).neighbours == int(DOCUMENTED[f"{PREFIX}NEIGHBOURS"]) == 0
    settings = from_environment({f"{PREFIX}NEIGHBOURS": "3"})
    assert from_environment(settings.handed_on()).neighbours == 3
    assert current_settings(neighbours="2").neighbours == 2
    for text in ("4", "-1", "two"):
        with pytest.raises(BadSetting, match="TRISTREAM_NEIGHBOURS: "):
            from_environment({f"{PREFIX}NEIGHBOURS": text})


def test_whether_volumes_are_sent_reaches_a_worker() -> None:
    """They are not, unless asked for: a volume is as many images again."""
    assert from_environment({}).volumes == DOCUMENTED[f"{PREFIX}VOLUMES"] == "none"
    settings = from_environment({f"{PREFIX}VOLUMES": "whole"})
    assert from_environment(settings.handed_on()).volumes == "whole"
    assert current_settings(volumes="whole").volumes == "whole"
    with pytest.raises(BadSetting, match="TRISTREAM_VOLUMES: "):
        from_environment({f"{PREFIX}VOLUMES": "half"})


def test_where_series_are_sought_reaches_a_worker() -> None:
    """Nowhere, unless someone says that they arrive whole."""
    assert f"{PREFIX}SERIES" in DOCUMENTED
    assert from_environment({}).series is None
    settings = from_environment({f"{PREFIX}SERIES": "folder"})
    assert from_environment(settings.handed_on()).series == "folder"
    with pytest.raises(BadSetting, match="SERIES: input should be 'none' or 'folder'"):
        from_environment({f"{PREFIX}SERIES": "bucket"})


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"SGLANG_URL": "http://h:1"}, "TRISTREAM_SGLANG_MODEL"),
        ({"SGLANG_URL": "h:1", "SGLANG_MODEL": "m"}, "http://"),
        ({"UNSUPPORTED": "keep"}, "TRISTREAM_UNSUPPORTED: input should be 'remove' or 'mark'"),
        ({"SGLANG_SHOWN": "boxes"}, "outlines"),
    ],
)
def test_a_model_that_cannot_be_asked_is_refused(given: dict[str, str], named: str) -> None:
    """Before any worker starts, with the way to mend it."""
    with pytest.raises(BadSetting, match=named):
        from_environment({PREFIX + name: value for name, value in given.items()})


def test_annotations_reach_a_worker(tmp_path: Path) -> None:
    """A folder becomes absolute, a bucket stays what it is, and what is neither is refused."""
    assert f"{PREFIX}ANNOTATIONS" in DOCUMENTED
    for text, meant in (("seg", str(Path("seg").absolute())), ("s3://scans/seg", "s3://scans/seg")):
        settings = from_environment({f"{PREFIX}ANNOTATIONS": text})
        assert settings.annotations == meant
        assert from_environment(settings.handed_on()) == settings
    with pytest.raises(BadSetting, match="s3://bucket"):
        from_environment({f"{PREFIX}ANNOTATIONS": "s3://"})
    with pytest.raises(click.UsageError, match="no folder"):
        current_settings(annotations=str(tmp_path / "no"))
