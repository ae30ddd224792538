"""Training the assistant when its files have changed, by Rasa's Python API or its command line."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "models"


class TrainingFailed(RuntimeError):
    """Rasa refused the assistant's files."""


def find_model(
    config: str = "config.yml", endpoints: str = "endpoints.yml", *, root: Path = ROOT, models: Path = MODELS
) -> Path:
    """Where the model of the files as they are is, or will be once it is trained."""
    return models / f"{_fingerprint(config, endpoints, root=root)}.tar.gz"


def train_assistant(
    config: str = "config.yml", endpoints: str = "endpoints.yml", *, root: Path = ROOT, models: Path = MODELS
) -> Path:
    """The path of a model of the files as they are; trained only if there is none yet.

    Raises:
        TrainingFailed: Rasa could not train them.
    """
    model = find_model(config, endpoints, root=root, models=models)
    if not model.exists():
        _train(root, config, endpoints, model)
    return model


def train_with_licence(model: Path, config: str, endpoints: str, environment: Mapping[str, str]) -> None:
    """The same by ``rasa train``, for those who have a licence.

    Raises:
        TrainingFailed: the command failed.
    """
    name = model.name.partition(".")[0]
    command = ["rasa", "train", "--config", config, "--endpoints", endpoints]
    command += ["--out", str(model.parent), "--fixed-model-name", name]
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=dict(environment), check=False)  # noqa: S603
    if done.returncode:
        raise TrainingFailed("`rasa train` failed; what it said stands above.")


def _fingerprint(*files: str, root: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(_sources(files, root)):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _sources(files: Sequence[str], root: Path) -> Iterator[Path]:
    yield from (root / file for file in files)
    for folder in ("domain", "flows", "nlu"):
        yield from (root / folder).rglob("*.yml")


def _train(root: Path, config: str, endpoints: str, model: Path) -> None:
    from rasa.model_training import train  # takes seconds to import, so only when there is something to train

    model.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own, moved when complete: another process may be training the same model.
    name = f"{model.name.partition('.')[0]}-{os.getpid()}"
    result = asyncio.run(
        train(
            domain=str(root / "domain"),
            config=str(root / config),
            endpoints=str(root / endpoints),
            training_files=[str(root / "flows"), str(root / "nlu")],
            output=str(model.parent),
            fixed_model_name=name,
            force_training=True,
        )
    )
    if not result.model:
        raise TrainingFailed(f"Rasa could not train the assistant from {config}.")
    Path(result.model).replace(model)
