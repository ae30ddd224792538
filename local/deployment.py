"""``python -m local.deployment``: does what is in ``deploy/`` fit its schemas? Part of ``make check``.

The Dockerfile is read by hadolint, the compose file is compared with the Compose Specification, each
Kubernetes manifest with the API of the oldest and of the newest version that we mean.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
KUBERNETES = ("1.33", "1.37")  # `preStop.sleep` is older than the first, and no field of ours newer
KUSTOMIZE = (
    "Kustomization",
    "Component",
)  # kubectl's own, without a schema: tests render them


def main(folder: Path = DEPLOY) -> int:
    """Print what is wrong; 1 where anything is."""
    mistakes = [
        *find_dockerfile_mistakes(folder / "Dockerfile"),
        *find_compose_mistakes(folder / "compose.yml"),
    ]
    manifests = find_manifests(folder)
    for file in manifests:
        mistakes += find_manifest_mistakes(yaml.safe_load_all(file.read_text()), str(file))
    for mistake in mistakes:
        print(mistake)
    if not mistakes:
        print(f"deploy/: Dockerfile, compose file and {len(manifests)} files for Kubernetes are in order")
    return int(bool(mistakes))


def find_manifests(folder: Path) -> list[Path]:
    """Every file for Kubernetes."""
    return sorted((folder / "kubernetes").rglob("*.yaml"))


def find_dockerfile_mistakes(file: Path) -> list[str]:
    return _ask([str(Path(sys.executable).parent / "hadolint"), "--no-color", str(file)])


def find_compose_mistakes(file: Path) -> list[str]:
    schema = "vendor.compose-spec"
    return _ask([sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)])


def find_manifest_mistakes(documents: Iterable[Any], where: str) -> list[str]:
    """Unknown fields are mistakes too: Kubernetes would drop them without a word."""
    from kubernetes_validate import SchemaNotFoundError, ValidationError, validate

    mistakes = []
    for document in documents:
        if document is None or document.get("kind") in KUSTOMIZE:
            continue
        name = f"{where}: {document.get('kind')} {document.get('metadata', {}).get('name')}"
        for version in KUBERNETES:
            try:
                validate(document, version, strict=True)
            except ValidationError as error:
                path = ".".join(str(part) for part in error.path)
                mistakes.append(f"{name}: {path or 'at its top'}: {error.message} (Kubernetes {version})")
            except SchemaNotFoundError:
                mistakes.append(f"{name}: there is none in {document['apiVersion']} (Kubernetes {version})")
    return mistakes


def _ask(command: Sequence[str]) -> list[str]:
    """What a tool complains of, line by line."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode == 0:
        return []
    return (done.stdout + done.stderr).strip().splitlines() or [f"{command[0]} failed without a word"]


if __name__ == "__main__":
    sys.exit(main())
