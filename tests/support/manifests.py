"""What `deploy/` says, as data: the compose file, and the manifests by kind and name."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import yaml

from local.deployment import DEPLOY, ROOT, find_manifests

PODS = ("StatefulSet", "Deployment", "Job")
VARIABLE = re.compile(r"\$\{(\w+)\}")


@cache
def read_compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yml").read_text())


@cache
def read_manifests() -> list[dict[str, Any]]:
    """All but kustomize's own."""
    documents = [one for file in find_manifests(DEPLOY) for one in yaml.safe_load_all(file.read_text())]
    return [one for one in documents if not one["apiVersion"].startswith("kustomize")]


def find(kind: str, name: str) -> dict[str, Any]:
    (found,) = [one for one in read_manifests() if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return found


def pods() -> dict[str, dict[str, Any]]:
    """What each controller starts, by its name."""
    found = [one for one in read_manifests() if one["kind"] in PODS]
    return {one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in found}


def container(name: str) -> dict[str, Any]:
    (only,) = pods()[name]["containers"]
    return only


def read_kustomization(folder: str) -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "kubernetes" / folder / "kustomization.yaml").read_text())


def read_settings_file() -> dict[str, str]:
    """The ConfigMap's variables."""
    lines = (DEPLOY / "kubernetes" / "base" / "settings.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def read_example_secret() -> dict[str, str]:
    return find("Secret", "handoff-secrets")["stringData"]


def endpoints_variables(file: str) -> set[str]:
    path = next(one for one in (ROOT / file, DEPLOY / file) if one.exists())
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    return set(VARIABLE.findall("\n".join(lines)))
