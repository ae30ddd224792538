"""What is in `deploy/` fits its schemas, and what does not is refused."""

import shutil
import subprocess

import pytest
import yaml

from local.deployment import (
    DEPLOY,
    find_compose_mistakes,
    find_dockerfile_mistakes,
    find_manifest_mistakes,
    main,
)

KUBERNETES = DEPLOY / "kubernetes"
COMPONENTS = 1, 21  # the first kubectl whose kustomize knows them


def test_all_of_it_is_in_order(capsys):
    assert main() == 0
    assert "in order" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("python:3.11-slim-bookworm AS build", "python AS build", "DL3006"),
        ('CMD ["rasa"', "CMD rasa", "DL3025"),
        ("COPY domain/", "COPYY domain/", "missing whitespace"),
    ],
)
def test_a_mistake_in_the_dockerfile_is_named(tmp_path, written, instead, told):
    text = (DEPLOY / "Dockerfile").read_text()
    assert written in text
    file = tmp_path / "Dockerfile"
    file.write_text(text.replace(written, instead))
    assert told in "\n".join(find_dockerfile_mistakes(file))


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("stop_grace_period:", "grace_period:", "grace_period"),
        ("condition: service_healthy", "condition: service_fine", "service_fine"),
        ("  stores: { internal: true }", "  stores: [internal]", "stores"),
    ],
)
def test_a_mistake_in_the_compose_file_is_named(tmp_path, written, instead, told):
    text = (DEPLOY / "compose.yml").read_text()
    assert written in text
    file = tmp_path / "compose.yml"
    file.write_text(text.replace(written, instead))
    assert told in "\n".join(find_compose_mistakes(file))


@pytest.mark.parametrize(
    ("file", "written", "instead", "told"),
    [
        ("base/assistant.yaml", "readinessProbe:", "readynessProbe:", "readynessProbe"),
        ("base/assistant.yaml", "replicas: 3", "replicas: three", "three"),
        ("base/assistant.yaml", "sleep: { seconds: 5 }", "sleep: 5", "sleep"),
        ("base/disruption.yaml", "policy/v1", "policy/v9", "v9"),
        ("base/network.yaml", "cidr:", "range:", "cidr"),
        ("base/ingress.yaml", "pathType: Prefix", "pathTyp: Prefix", "pathTyp"),
        ("autoscaling/autoscaler.yaml", "maxReplicas: 6", "maxReplica: 6", "maxReplica"),
        ("migrate/job.yaml", "backoffLimit:", "retries:", "retries"),
    ],
)
def test_a_mistake_in_a_manifest_is_named_with_its_place(file, written, instead, told):
    text = (KUBERNETES / file).read_text()
    assert written in text
    documents = yaml.safe_load_all(text.replace(written, instead))
    mistakes = find_manifest_mistakes(documents, file)
    assert mistakes
    assert all(told in mistake and mistake.startswith(file) for mistake in mistakes)


@pytest.mark.parametrize("folder", ["base", "migrate", "example"])
def test_what_kustomize_makes_of_it_fits_too(folder):
    documents = list(yaml.safe_load_all(render(folder)))
    assert documents
    assert find_manifest_mistakes(documents, folder) == []


def test_a_change_of_settings_starts_the_processes_anew():
    """The ConfigMap's name holds a digest of what is in it."""
    documents = list(yaml.safe_load_all(render("base")))
    names = {one["metadata"]["name"] for one in documents if one["kind"] == "ConfigMap"}
    (assistant,) = [one for one in documents if one["kind"] == "StatefulSet"]
    (container,) = assistant["spec"]["template"]["spec"]["containers"]
    named = container["envFrom"][0]["configMapRef"]["name"]
    assert named in names
    assert named != "handoff-settings"


def test_the_example_has_both_components():
    documents = list(yaml.safe_load_all(render("example")))
    kinds = [one["kind"] for one in documents]
    (assistant,) = [one for one in documents if one["kind"] == "StatefulSet"]
    (container,) = assistant["spec"]["template"]["spec"]["containers"]
    assert "HorizontalPodAutoscaler" in kinds
    assert "replicas" not in assistant["spec"]
    assert "endpoints.action-server.yml" in container["args"]
    assert container["env"] == [{"name": "ACTION_SERVER_URL", "value": "http://actions:5055/webhook"}]


def render(folder: str) -> str:
    """As `kubectl apply -k` would send it; older clients do not know components."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed, and no package of it is new enough to be asked for")
    version = subprocess.run([kubectl, "version", "--client", "-o", "yaml"], capture_output=True, text=True)
    told = yaml.safe_load(version.stdout)["clientVersion"]
    if (int(told["major"]), int(told["minor"].rstrip("+"))) < COMPONENTS:
        pytest.skip(f"kubectl {told['gitVersion']} is too old for components")
    done = subprocess.run(
        [kubectl, "kustomize", str(KUBERNETES / folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
