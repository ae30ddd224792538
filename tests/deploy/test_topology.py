"""The parts agree with each other and with the code: variables, ports, paths, times, numbers, rights."""

import re
import shlex

import pytest
from pydantic import SecretStr

from channels.operations import Operations
from handoff.settings import Settings, read_settings
from local.deployment import DEPLOY
from tests.support.environment import clean
from tests.support.manifests import (
    container,
    endpoints_variables,
    find,
    pods,
    read_compose,
    read_example_secret,
    read_kustomization,
    read_manifests,
    read_settings_file,
)

OURS = {name.upper(): field for name, field in Settings.model_fields.items()}
RASAS = {"RASA_LICENSE", *endpoints_variables("endpoints.action-server.yml")}
NGINX = {"HANDOFF_LISTEN", "HANDOFF_SERVERS"}
SERVICES = read_compose()["services"]
RASA = ("rasa-1", "rasa-2")
OF_US = (*RASA, "migrate", "train", "actions")
SERVER = re.compile(r"server ([\w-]+):(\d+)")
SECONDS_TO_SPARE = 15  # what docs/operations.md asks for after HANDOFF_DRAIN_TIMEOUT


# -- variables -----------------------------------------------------------------------------


@pytest.mark.parametrize("service", OF_US)
def test_compose_sets_no_variable_that_nobody_reads(service):
    assert set(SERVICES[service]["environment"]) <= OURS.keys() | RASAS


def test_the_configmap_and_the_secret_set_no_variable_that_nobody_reads():
    assert read_settings_file().keys() <= OURS.keys() | RASAS
    assert read_example_secret().keys() <= OURS.keys() | RASAS


def test_no_secret_stands_in_the_configmap():
    secrets = {name for name, field in OURS.items() if SecretStr in getattr(field.annotation, "__args__", ())}
    hidden = {name for name, field in OURS.items() if not field.repr} - {"HANDOFF_FILES_URL"}
    assert "SERVICENOW_PASSWORD" in secrets
    assert "HANDOFF_DATABASE_URL" in hidden
    passwords = {"RASA_LICENSE", "RASA_DB_PASSWORD", "RASA_REDIS_PASSWORD"}
    assert not read_settings_file().keys() & (secrets | hidden | passwords)


def test_both_give_rasa_every_variable_that_its_endpoints_name():
    needed = endpoints_variables("endpoints.cluster.yml")
    assert "RASA_DB_HOST" in needed
    assert needed <= SERVICES["rasa-1"]["environment"].keys()
    assert needed <= read_settings_file().keys() | read_example_secret().keys()
    assert endpoints_variables("endpoints.action-server.yml") - needed == {"ACTION_SERVER_URL"}


def test_the_settings_of_kubernetes_are_ones_that_start(monkeypatch, tmp_path):
    clean(monkeypatch, tmp_path)
    for name, value in (read_settings_file() | read_example_secret()).items():
        monkeypatch.setenv(name, value)
    settings = read_settings()
    assert settings.handoff_drain_timeout == 10
    assert settings.handoff_database_url.startswith("postgresql+asyncpg://")


def test_a_compose_file_needs_no_more_than_the_example_of_an_env_file(monkeypatch, tmp_path):
    clean(monkeypatch, tmp_path)
    given = SERVICES["rasa-1"]["environment"]
    own = {name: re.sub(r"\$\{POSTGRES_PASSWORD[^}]*\}", "abc", value) for name, value in given.items()}
    need = {"SERVICENOW_URL": "https://example.service-now.com", "SERVICENOW_USER": "u"}
    need |= {"SERVICENOW_PASSWORD": "p", "SERVICENOW_CALLBACK_SECRET": "s"}
    for name, value in (own | need).items():
        monkeypatch.setenv(name, value)
    assert read_settings().handoff_database_url == "postgresql+asyncpg://handoff:abc@postgres/handoff"


def test_rasas_database_is_the_one_that_is_made():
    made = re.findall(r"CREATE DATABASE (\w+)", (DEPLOY / "postgres" / "rasa-database.sql").read_text())
    assert made == [SERVICES["rasa-1"]["environment"]["RASA_DB_NAME"]]


# -- ports, paths and numbers --------------------------------------------------------------


def test_nginx_knows_each_process_of_the_compose_file_by_its_port():
    servers = SERVER.findall(SERVICES["nginx"]["environment"]["HANDOFF_SERVERS"])
    assert servers == [(name, port_of(SERVICES[name]["command"])) for name in RASA]
    assert SERVICES["nginx"]["environment"].keys() == NGINX == placeholders()


def test_nginx_knows_each_process_of_kubernetes_by_a_service_of_its_own():
    servers = SERVER.findall(door_variables()["HANDOFF_SERVERS"])
    assert door_variables().keys() == NGINX
    assert len(servers) == find("StatefulSet", "assistant")["spec"]["replicas"]
    for name, port in servers:
        assert_leads_to_one_process(name, port)


def test_the_autoscaler_starts_no_more_than_nginx_knows():
    (patch,) = [
        one for one in read_kustomization("autoscaling")["patches"] if one["target"]["name"] == "door"
    ]
    servers = SERVER.findall(patch["patch"])
    bounds = find("HorizontalPodAutoscaler", "assistant")["spec"]
    assert len(servers) == bounds["maxReplicas"]
    assert bounds["minReplicas"] == find("StatefulSet", "assistant")["spec"]["replicas"]
    assert "containers/0/env/1/value" in patch["patch"]
    assert container("door")["env"][1]["name"] == "HANDOFF_SERVERS"
    for name, port in servers:
        assert_leads_to_one_process(name, port)


def test_the_probes_ask_for_what_is_served():
    routes = {f"/webhooks/{Operations.name()}{route}" for route in served_paths()}
    probes = container("assistant")
    asked = {probes[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
    assert asked == {"/webhooks/operations/live", "/webhooks/operations/ready"} <= routes
    assert probes["readinessProbe"]["httpGet"]["path"].endswith("/ready")
    assert probes["readinessProbe"]["timeoutSeconds"] >= 3  # as docs/operations.md says
    for name in RASA:
        (address,) = re.findall(
            r"http://127\.0\.0\.1:(\d+)(/\S+?)'", SERVICES[name]["healthcheck"]["test"][3]
        )
        assert address == (port_of(SERVICES[name]["command"]), "/webhooks/operations/ready")


def test_the_ports_of_containers_are_those_that_they_listen_on():
    for name in ("assistant", "actions"):
        (port,) = container(name)["ports"]
        assert str(port["containerPort"]) == port_of(container(name)["args"])
    assert door_variables()["HANDOFF_LISTEN"] == str(container("door")["ports"][0]["containerPort"])


def test_nothing_of_the_operations_is_passed_on_by_nginx():
    locations = re.findall(r"location (?:= )?(\S+) \{", template())
    assert "/webhooks/rest/" in locations
    assert not any("/webhooks/operations/".startswith(path) and path != "/" for path in locations)
    assert re.search(r"location / \{\s+return 404;", template())


# -- times ---------------------------------------------------------------------------------


def test_compose_waits_for_the_drain_before_it_kills():
    for name in RASA:
        drain = float(SERVICES[name]["environment"]["HANDOFF_DRAIN_TIMEOUT"])
        assert SERVICES[name]["stop_grace_period"] == f"{drain + SECONDS_TO_SPARE:g}s"


def test_kubernetes_waits_for_the_drain_before_it_kills():
    drain = float(read_settings_file()["HANDOFF_DRAIN_TIMEOUT"])
    pause = container("assistant")["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pods()["assistant"]["terminationGracePeriodSeconds"] == pause + drain + SECONDS_TO_SPARE


# -- rights --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", pods())
def test_no_pod_may_more_than_it_needs(name):
    pod, only = pods()[name], container(name)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert only["resources"]["limits"]["memory"]


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "postgres"])
def test_no_container_of_the_compose_file_may_more_than_it_needs(name):
    """PostgreSQL's image starts as root, to own its volume, and then is nobody."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_only_nginx_is_published_and_the_stores_reach_nobody():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]
    assert read_compose()["networks"]["stores"] == {"internal": True}
    assert {name for name, one in SERVICES.items() if one["networks"] == ["stores"]} == {"postgres", "redis"}


def test_only_the_door_and_prometheus_reach_the_assistant():
    everybody = find("NetworkPolicy", "nobody-by-default")["spec"]
    assert everybody == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    (rule,) = find("NetworkPolicy", "assistant")["spec"]["ingress"]
    assert rule["from"] == [
        {"podSelector": {"matchLabels": {"app": "door"}}},
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}},
    ]


def test_each_pod_has_a_policy_and_each_that_must_not_go_at_once_a_budget():
    policies = [one for one in read_manifests() if one["kind"] == "NetworkPolicy"]
    named = {one["spec"]["podSelector"].get("matchLabels", {}).get("app") for one in policies}
    assert named == {*pods(), None}
    budgets = [one for one in read_manifests() if one["kind"] == "PodDisruptionBudget"]
    assert {one["spec"]["selector"]["matchLabels"]["app"] for one in budgets} == {"assistant", "door"}
    assert all(one["spec"]["maxUnavailable"] == 1 for one in budgets)


# -- helpers -------------------------------------------------------------------------------


def template() -> str:
    return (DEPLOY / "nginx" / "nginx.conf.template").read_text()


def placeholders() -> set[str]:
    return set(re.findall(r"\$\{(\w+)\}", template()))


def door_variables() -> dict[str, str]:
    return {one["name"]: one["value"] for one in container("door")["env"]}


def port_of(command: list[str] | str) -> str:
    words = shlex.split(command) if isinstance(command, str) else command
    return words[words.index("--port") + 1]


def served_paths() -> list[str]:
    return [route.uri for route in Operations().blueprint(None)._future_routes]


def assert_leads_to_one_process(name: str, port: str) -> None:
    spec = find("Service", name)["spec"]
    assert spec["selector"] == {"statefulset.kubernetes.io/pod-name": name}
    assert [str(one["port"]) for one in spec["ports"]] == [port]
