"""A real Weaviate under the pipeline: re-indexed while it is searched, stopped and started while a stage needs it."""

import dataclasses
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from agents.settings import Settings
from infra.processes import Processes
from infra.weaviate import Certificate, LocalWeaviate
from models.knowledge import STARTER_CORPUS, EmbeddedKnowledge, Query, open_embedded, read_corpus, write_index
from models.knowledge.biomedical import BiomedicalEncoder
from models.knowledge.weaviate import WeaviateKnowledge, build, building, current_passages
from models.knowledge.weaviate.connection import Connection, RequestRefused
from schemas.failures import Unavailable
from schemas.knowledge import Passage
from schemas.triplets import Triplet
from schemas.weaviate import WeaviateServer
from streams.reader import latest
from streams.topics import STAGES
from tests.conftest import RunningWeaviate
from tests.integration.conftest import Certificates
from tests.integration.pipeline import GOOD, Pipeline, sample

pytestmark = pytest.mark.integration


@pytest.fixture
def server(weaviate: RunningWeaviate) -> WeaviateServer:
    """An alias of the test's own."""
    return dataclasses.replace(weaviate.server, alias=f"I{uuid.uuid4().hex[:8]}")


def edition(number: int) -> list[Passage]:
    """Passages that tell by their ids which edition they are of."""
    return [
        Passage(passage_id=f"{number}-{n:03}", title="Air", text=f"Air is dark, number {n}.", reference="A textbook")
        for n in range(60)
    ]


def collections(server: WeaviateServer) -> list[str]:
    connection = Connection(server)
    with connection.use() as client:
        found = [name for name in client.collections.list_all() if name.startswith(f"{server.alias}_Snapshot")]
    connection.close()
    return found


def test_searches_never_see_a_mixture(server: WeaviateServer) -> None:
    """While the base is built anew three times, each search finds passages of one edition, the one of its snapshot."""
    editions = {build(server, "edition", edition(0)): "0"}
    knowledge = WeaviateKnowledge(server, clock=lambda: time.monotonic() * 1000)  # looks at the alias each time
    seen: list[tuple[str, tuple[str, ...]]] = []
    failures: list[Exception] = []
    over = threading.Event()

    def search() -> None:
        while not over.is_set():
            try:
                base = knowledge()
                found = base.search(Query("dark air", limit=20))
            except Unavailable as error:
                failures.append(error)
            else:
                seen.append((base.snapshot, tuple(each.passage_id.partition("-")[0] for each in found)))

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(1, 4):
            editions[build(server, "edition", edition(number))] = str(number)
    finally:
        over.set()
        for thread in threads:
            thread.join()
        knowledge.close()
    assert failures == []
    assert {snapshot for snapshot, _ in seen} >= set(list(editions)[1:3])
    assert all(of == (editions[snapshot],) * 20 for snapshot, of in seen)


def test_earlier_collections_go_beyond_the_keep_count(server: WeaviateServer) -> None:
    """The current collection stays with as many earlier ones as asked; the same passages are not built twice."""
    for number in range(4):
        build(server, "edition", edition(number)[:5], keep=2)
    before = collections(server)
    assert len(before) == 3
    build(server, "edition", edition(3)[:5], keep=0)
    assert collections(server) == before
    build(server, "edition", edition(4)[:5], keep=0)
    assert len(collections(server)) == 1
    assert current_passages(server) == ("edition", tuple(edition(4)[:5]))


@pytest.fixture(params=["ours", "BlockMax WAND"])
def of_its_kind(request: pytest.FixtureRequest, processes: Processes, tmp_path: Path) -> WeaviateServer:
    """A server as we set it up, and one of Weaviate's defaults."""
    if request.param == "ours":
        return request.getfixturevalue("server")
    defaults = {"USE_INVERTED_SEARCHABLE": "true", "PERSISTENCE_MEMTABLES_FLUSH_DIRTY_AFTER_SECONDS": "8"}
    local = LocalWeaviate(tmp_path / "weaviate", settings=defaults)
    local.start(processes)
    return local.server


@pytest.fixture(scope="module")
def starter(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sequence[Passage], EmbeddedKnowledge]:
    """The starter corpus, and its file, opened."""
    passages, index = read_corpus(STARTER_CORPUS), tmp_path_factory.mktemp("starter") / "starter.npz"
    write_index("starter", passages, index)
    return passages, open_embedded(index)


def test_what_was_built_is_found_at_once(
    of_its_kind: WeaviateServer, starter: tuple[Sequence[Passage], EmbeddedKnowledge]
) -> None:
    """Right after a build, by our server and by one of Weaviate's defaults, words find what the file finds by them."""
    passages, embedded = starter
    asked = [Query(f"{one.title}. {one.text.split('. ')[0]}", limit=1) for one in passages[::10]]
    build(of_its_kind, "starter", passages)
    knowledge = WeaviateKnowledge(of_its_kind)
    base = knowledge()
    same = [base.search(query)[0].passage_id == embedded.search(query)[0].passage_id for query in asked]
    knowledge.close()
    assert sum(same) / len(same) > 0.95


def test_a_wrong_key_is_named(server: WeaviateServer) -> None:
    """A server that refuses the key is waited for, with a reason that a person can act on and that holds no key."""
    knowledge = WeaviateKnowledge(dataclasses.replace(server, api_key="another"))
    with pytest.raises(Unavailable, match="TRISTREAM_WEAVIATE_API_KEY") as raised:
        knowledge()
    assert "another" not in str(raised.value)
    knowledge.close()


def test_a_refused_search_is_a_defect(server: WeaviateServer) -> None:
    """A ready server that cannot take the query is not waited for; one whose collection is gone is asked anew."""
    build(server, "edition", edition(0)[:5])
    knowledge, connection = WeaviateKnowledge(server), Connection(server)
    base = knowledge()
    (name,) = collections(server)
    with connection.use() as client, pytest.raises(RequestRefused, match="refuses"), connection.use():
        client.collections.use(name).query.bm25("air", query_properties=["no_such_property"])
    with connection.use() as client:
        client.alias.delete(alias_name=server.alias)
        client.collections.delete(name)
    with pytest.raises(Unavailable, match="was removed"):
        base.search(Query("dark air"))
    connection.close()
    knowledge.close()


def test_what_a_build_left_goes_after_a_day(server: WeaviateServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A collection that never became whole stays while its build may still run, and goes with the next one later."""

    def broken_off(*_: object) -> None:
        raise Unavailable("broken off")

    with monkeypatch.context() as broken:
        broken.setattr(building, "_fill", broken_off)
        with pytest.raises(Unavailable, match="broken off"):
            build(server, "edition", edition(0)[:5])
    (left,) = collections(server)
    build(server, "edition", edition(1)[:5], keep=0)
    assert left in collections(server)
    monkeypatch.setattr(building, "_GIVEN_UP", timedelta(0))
    build(server, "edition", edition(2)[:5], keep=0)
    assert len(collections(server)) == 1
    assert left not in collections(server)


def test_an_alias_without_a_base_is_named(server: WeaviateServer) -> None:
    """A server without the base says what makes one."""
    knowledge = WeaviateKnowledge(server)
    with pytest.raises(Unavailable, match="tristream knowledge build"):
        knowledge()
    knowledge.close()


def test_a_base_asks_for_its_encoder(server: WeaviateServer) -> None:
    """A base of an encoder's vectors is searched with that encoder only; a worker without it waits and says why."""
    encoder = BiomedicalEncoder(Path(__file__).parents[1] / "models" / "knowledge" / "tiny-encoder")
    snapshot = build(server, "edition", edition(0)[:5], encoder=encoder)
    without, having = WeaviateKnowledge(server), WeaviateKnowledge(server, encoder)
    with pytest.raises(Unavailable, match="TRISTREAM_ENCODER"):
        without()
    assert having().snapshot == snapshot
    assert having().search(Query("dark air, number 3", limit=1))[0].passage_id == "0-003"
    without.close()
    having.close()


@pytest.fixture
def chain(server: WeaviateServer, settings: Settings, tmp_path: Path) -> Iterator[Pipeline]:
    """Workers of all stages that retrieve from Weaviate."""
    running = Pipeline(settings.model_copy(update={"weaviate": server}), tmp_path)
    try:
        yield running
    finally:
        running.processes.stop()


def test_the_stage_waits_for_weaviate(chain: Pipeline, server: WeaviateServer, weaviate: RunningWeaviate) -> None:
    """With Weaviate killed, retrieve says that it waits; once it is back every file ends in a triplet that names it."""
    snapshot = build(server, "starter", read_corpus(STARTER_CORPUS))
    weaviate.kill()
    waited: list[str] = []

    def until_it_waits() -> None:
        record = latest(chain.settings.wires, STAGES).get("retrieve/retrieve")
        if not waited and record and record.message and record.message.state == "waiting":
            waited.append(record.message.reason)
            weaviate.start()

    try:
        chain.start_all()
        summary, out = chain.annotate(*(sample(name) for name in GOOD[:4]), meanwhile=until_it_waits)
    finally:
        if not waited:
            weaviate.start()
    assert waited == ["Weaviate does not answer"]
    assert (summary.triplets, summary.dead_letters) == (summary.images, 0)
    triplets = [Triplet.model_validate(orjson.loads(line)) for line in (out / "t.jsonl").read_bytes().splitlines()]
    assert {triplet.lineage.knowledge for triplet in triplets} == {snapshot}
    assert all(triplet.passages for triplet in triplets)


def test_an_authority_of_ones_own_is_trusted_when_named(
    certificates: Certificates, processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both interfaces speak TLS; who does not know the signer is told what to set."""
    local = LocalWeaviate(
        tmp_path / "weaviate", tls=Certificate(certificates.broker, certificates.broker, certificates.ca)
    )
    local.start(processes)
    for trusted in (None, certificates.stranger):
        if trusted is not None:
            monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        with pytest.raises(Unavailable, match=r"not trusted.*SSL_CERT_FILE"):
            build(local.server, "edition", edition(0))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca))
    snapshot = build(local.server, "edition", edition(0))
    knowledge = WeaviateKnowledge(local.server)
    assert knowledge().snapshot == snapshot
    assert knowledge().search(Query("dark air", limit=1))
    knowledge.close()
