"""The Helm chart, rendered by the real Helm and held against Kubernetes' own schemas and our tables."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import orjson
import pytest
import yaml

from infra.contracts import LAUNCH
from infra.servers import HELM
from infra.variables import from_environment
from schemas.weaviate import WeaviateServer
from streams.lag import INPUTS, group
from streams.settings import Wires
from streams.topics import TOPICS
from tests.infra.test_containers import DOCUMENTED, STAGES

CHART = Path(__file__).parents[2] / "infra" / "helm" / "tristream"
KUBERNETES = "1.34"
KEDA = "github.com/kedacore/keda/v2@v2.21.0", "config/crd/bases/keda.sh_{}.yaml", "v1alpha1"
PROMETHEUS = (
    "github.com/prometheus-operator/prometheus-operator@v0.84.0",
    "example/prometheus-operator-crd/monitoring.coreos.com_{}.yaml",
    "v1",
)
EVERYTHING = (
    "sglang.enabled=true,sglang.model=org/model,sglang.revision=0123abc,stages.ground.gpu=true,weaviate.url=http://w:8080,"
    "weaviate.grpc=w:50051,weaviate.alias=Lab,sglang.arguments={--tp-size=2},weaviate.existingSecret=weaviate,weaviate.caSecret=weaviate-ca,experts.claim=experts,bucket.existingSecret=s3,bucket.annotations=s3://marks/of,bucket.endpoint=https://s3.example,kafka.prefix=lab.,"
    "kafka.certificateSecret=tristream-user,monitoring.podMonitor=true,networkPolicy.enabled=true,"
    "settings.TRISTREAM_VOLUMES=whole,gather.waitSeconds=90"
)
PLAIN = (
    "kafka.protocol=PLAINTEXT,topics.strimzi=false,keda.enabled=false,disruption.enabled=false,"
    "serviceAccount.create=false"
)

pytestmark = pytest.mark.skipif(
    not HELM.binary().exists() and not os.environ.get("CI"), reason="Helm is not there: run 'make servers'"
)

Rendered = list[dict[str, Any]]


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(HELM.binary()), *arguments], capture_output=True, text=True, timeout=60)


def render(values: str) -> Rendered:
    ended = helm("template", "lab", str(CHART), "--set", values)
    assert ended.returncode == 0, ended.stderr
    return [document for document in yaml.safe_load_all(ended.stdout) if document]


@pytest.fixture(scope="module", params=["", EVERYTHING, PLAIN], ids=["defaults", "everything", "plain"])
def rendered(request: pytest.FixtureRequest) -> Rendered:
    """The chart's resources, three ways."""
    return render(request.param)


@pytest.fixture(scope="module")
def everything() -> Rendered:
    """All that the chart can give."""
    return render(EVERYTHING)


def of(kind: str, rendered: Rendered) -> Rendered:
    return [document for document in rendered if document["kind"] == kind]


def component(document: dict[str, Any]) -> str:
    return document["metadata"]["labels"]["app.kubernetes.io/component"]


def workers(rendered: Rendered) -> dict[str, dict[str, Any]]:
    """The pods of our image by component: of each stage, and of what gathers volumes, where they are sent."""
    pods = {component(one): one["spec"]["template"]["spec"] for one in of("Deployment", rendered)}
    return {name: pod for name, pod in pods.items() if name != "sglang"}


def stages(rendered: Rendered) -> dict[str, dict[str, Any]]:
    """The pods of the stages by stage."""
    return {name: workers(rendered)[name] for name in STAGES}


def variables(pod: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one.get("value", "of a secret") for one in pod["containers"][0]["env"]}


@pytest.mark.parametrize("values", ["", EVERYTHING, PLAIN], ids=["defaults", "everything", "plain"])
def test_helm_lint_finds_nothing(values: str) -> None:
    """Strictly: warnings count."""
    ended = helm("lint", "--strict", "--quiet", str(CHART), "--set", values)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "values",
    [
        "kafka.protocol=TLS",
        "kafka.bootstrap=host",
        "bucket.inbox=/scans",
        "settings.FRAMES=all",
        "stages.grund.replicas=1",
    ],
)
def test_values_that_make_no_sense_are_refused(values: str) -> None:
    """values.schema.json knows every value; a misspelt one does nothing silently."""
    assert helm("template", "lab", str(CHART), "--set", values).returncode != 0


def test_kubernetes_accepts_all_of_it(rendered: Rendered) -> None:
    """Every resource of Kubernetes' own obeys its schema, without unknown fields."""
    checked = 0
    for document in rendered:
        if "." not in document["apiVersion"].split("/")[0] or document["apiVersion"].split("/")[0].endswith(".k8s.io"):
            kubernetes_validate.validate(document, KUBERNETES, strict=True)
            checked += 1
    assert checked >= len(STAGES)


@pytest.mark.parametrize(
    ("of_operator", "kind", "count"),
    [(KEDA, "ScaledObject", 4), (KEDA, "TriggerAuthentication", 1), (PROMETHEUS, "PodMonitor", 1)],
)
def test_operators_accept_what_is_for_them(
    of_operator: tuple[str, str, str], kind: str, count: int, everything: Rendered
) -> None:
    """It obeys the schema in the operator's own definitions, without unknown fields."""
    module, path, version = of_operator
    go = shutil.which("go")
    if go is None:
        pytest.skip("there is no Go to fetch the definitions with")
    fetched = subprocess.run([go, "mod", "download", "-json", module], cwd="/", capture_output=True, timeout=120)
    if fetched.returncode != 0 and not os.environ.get("CI"):
        pytest.skip("the definitions cannot be fetched")
    definition = yaml.safe_load(
        (Path(orjson.loads(fetched.stdout)["Dir"]) / path.format(f"{kind.lower()}s")).read_text()
    )
    (schema,) = [v["schema"]["openAPIV3Schema"] for v in definition["spec"]["versions"] if v["name"] == version]
    found = of(kind, everything)
    assert len(found) == count
    for document in found:
        jsonschema.validate(document, _closed(schema))


def _closed(schema: Any) -> Any:
    """The schema with every object that lists its fields closed to others, as an API server refuses or drops them."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(part) for name, part in schema.items()}
    # Kubernetes itself says what metadata holds: there the definition lists nothing.
    if closed.get("type") == "object" and "properties" in closed and "additionalProperties" not in closed:
        closed["additionalProperties"] = closed.get("x-kubernetes-preserve-unknown-fields", False)
    if closed.get("x-kubernetes-int-or-string"):
        closed.pop("type", None)
    return closed


def test_topics_are_those_of_the_table() -> None:
    """Strimzi makes each topic as the workers would: name, cleanup, retention, largest message."""
    found = {one["spec"]["topicName"]: one["spec"]["config"] for one in of("KafkaTopic", render("kafka.prefix=lab."))}
    assert found.keys() == {f"lab.{topic.name}" for topic in TOPICS}
    for topic in TOPICS:
        config = dict(found[f"lab.{topic.name}"])
        assert config.pop("min.insync.replicas") == "2"
        assert config == topic.config(Wires())


def test_kubernetes_can_name_the_topics(rendered: Rendered) -> None:
    """A topic's resource is a name as Kubernetes takes it, and says to which cluster it belongs."""
    for topic in of("KafkaTopic", rendered):
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", topic["metadata"]["name"])
        assert topic["metadata"]["labels"]["strimzi.io/cluster"] == "tristream"


def test_scaling_asks_for_the_lag_of_the_stage(everything: Rendered) -> None:
    """Group and topic are those that the workers use; none is scaled beyond its partitions."""
    wires = Wires(prefix="lab.")
    found = {component(one): one["spec"] for one in of("ScaledObject", everything)}
    assert found.keys() == INPUTS.keys()
    for stage, spec in found.items():
        metadata = spec["triggers"][0]["metadata"]
        assert (metadata["consumerGroup"], metadata["topic"]) == (group(stage, wires), INPUTS[stage].on(wires))
        assert (metadata["sasl"], metadata["tls"]) == ("scram_sha512", "enable")
        assert spec["scaleTargetRef"]["name"] == f"lab-{stage}"
        assert spec["maxReplicaCount"] <= 48
    fixed = {one["metadata"]["name"] for one in of("Deployment", everything) if "replicas" in one["spec"]}
    assert fixed == {"lab-sglang", "lab-watch", "lab-gather"}


@pytest.mark.parametrize(("mechanism", "word"), [("PLAIN", "plaintext"), ("SCRAM-SHA-256", "scram_sha256")])
def test_scaling_logs_in_as_the_workers_do(mechanism: str, word: str) -> None:
    """In KEDA's words for the mechanisms."""
    found = of("ScaledObject", render(f"kafka.mechanism={mechanism}"))
    assert {one["spec"]["triggers"][0]["metadata"]["sasl"] for one in found} == {word}


def test_what_the_chart_sets_are_settings(rendered: Rendered) -> None:
    """Every variable is one that is read, and all together are accepted."""
    for pod in workers(rendered).values():
        given = {name: value for name, value in variables(pod).items() if name.startswith("TRISTREAM_")}
        assert given.keys() <= DOCUMENTED
        assert from_environment(given).wires.metrics_port == 9464


def test_each_stage_is_one_worker_under_watch(rendered: Rendered) -> None:
    """It runs its own stage, or gathers, as nobody, on a root that cannot be written, and is probed."""
    assert workers(rendered).keys() - STAGES <= {"gather"}
    for stage, pod in workers(rendered).items():
        (container,) = pod["containers"]
        assert container["args"][:2] == (["gather", "--wait=90"] if stage == "gather" else ["worker", stage])
        assert pod["securityContext"]["runAsNonRoot"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_only_ground_is_given_experts_and_only_retrieve_whom_weaviate_is_signed_by(everything: Rendered) -> None:
    """Each sees them where its variable says."""
    pods = stages(everything)
    for stage, name in (("ground", "TRISTREAM_EXPERTS"), ("retrieve", "SSL_CERT_FILE")):
        assert {other for other, pod in pods.items() if name in variables(pod)} == {stage}
        mounts = [mount["mountPath"] for mount in pods[stage]["containers"][0]["volumeMounts"]]
        assert any(variables(pods[stage])[name].startswith(mount) for mount in mounts)


@pytest.mark.parametrize(
    ("values", "gathers"),
    [
        ("", False),
        ("settings.TRISTREAM_VOLUMES=none", False),
        ("settings.TRISTREAM_VOLUMES=whole", True),
        ("stages.preprocess.settings.TRISTREAM_VOLUMES=whole", True),
        ("settings.TRISTREAM_VOLUMES=whole,stages.preprocess.settings.TRISTREAM_VOLUMES=none", False),
    ],
)
def test_volumes_are_gathered_where_they_are_sent(values: str, gathers: bool) -> None:
    """By one process, which is gone before the next comes; preprocess's own setting counts most."""
    found = [one for one in of("Deployment", render(values)) if component(one) == "gather"]
    assert len(found) == gathers
    for one in found:
        assert (one["spec"]["replicas"], one["spec"]["strategy"]) == (1, {"type": "Recreate"})
        assert not [other for other in of("PodDisruptionBudget", render(values)) if component(other) == "gather"]


def test_only_preprocess_is_told_where_annotations_lie(everything: Rendered, rendered: Rendered) -> None:
    """It alone reads them; where none are named the variable is not there."""
    told = {stage: variables(pod).get("TRISTREAM_ANNOTATIONS") for stage, pod in stages(everything).items()}
    assert told == {**dict.fromkeys(STAGES), "preprocess": "s3://marks/of"}
    if rendered != everything:
        assert not any("TRISTREAM_ANNOTATIONS" in variables(pod) for pod in stages(rendered).values())


def test_only_who_names_objects_holds_the_key(everything: Rendered) -> None:
    """The identity key reaches watch and preprocess; the bucket's credentials those that read or write pixels."""
    pods = stages(everything)
    assert {name for name, pod in pods.items() if "TRISTREAM_KEY_FILE" in variables(pod)} == {"watch", "preprocess"}
    with_credentials = {name for name, pod in pods.items() if "envFrom" in pod["containers"][0]}
    assert with_credentials == {"watch", "preprocess", "ground", "describe"}


def test_sglang_is_launched_by_its_one_script(everything: Rendered) -> None:
    """With what it needs to be told, the key from a Secret, and by a pod that starts anew when the script changes."""
    (script,) = [one["data"]["launch.sh"] for one in of("ConfigMap", everything)]
    assert script == LAUNCH.read_text()
    (template,) = [one["spec"]["template"] for one in of("Deployment", everything) if component(one) == "sglang"]
    (container,) = template["spec"]["containers"]
    assert (container["command"], container["args"]) == (["bash", "/launch/launch.sh"], ["--tp-size=2"])
    told = variables(template["spec"])
    assert (told["MODEL"], told["REVISION"], told["TP"]) == ("org/model", "0123abc", "1")
    assert told["API_KEY"] == "of a secret"
    assert container["startupProbe"]["httpGet"]["path"] == container["livenessProbe"]["httpGet"]["path"] == "/health"


def test_describe_asks_the_model_that_is_launched(everything: Rendered) -> None:
    """Under the same name, with the same key, and retrieve the knowledge base that is named."""
    pods = stages(everything)
    settings = from_environment(variables(pods["describe"]))
    assert (settings.serving.url, settings.serving.model) == ("http://lab-sglang:30000", "org/model@0123abc")
    assert settings.serving.api_key == "of a secret"
    weaviate = from_environment(variables(pods["retrieve"])).weaviate
    assert weaviate == WeaviateServer("http://w:8080", grpc="w:50051", api_key="of a secret", alias="Lab")


def test_gpus_are_asked_for_where_they_are_used(everything: Rendered) -> None:
    """ground and SGLang get a GPU each, on nodes that have one; no other stage does."""
    placed = {one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in of("Deployment", everything)}
    for name, pod in placed.items():
        on_gpu = name in {"lab-ground", "lab-sglang"}
        assert ("nvidia.com/gpu" in pod["containers"][0]["resources"]["limits"]) == on_gpu
        assert ("nodeSelector" in pod, "tolerations" in pod) == (on_gpu, on_gpu)
    assert placed["lab-ground"]["containers"][0]["image"].endswith("-gpu")


def test_no_secret_is_rendered(everything: Rendered) -> None:
    """Secrets are named; the chart makes none."""
    assert of("Secret", everything) == []
