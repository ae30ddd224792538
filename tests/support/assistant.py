"""Trains the assistant for tests, once per content of its files, through Rasa's public Python API."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import structlog

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "var" / "test-models"

os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
os.environ.setdefault(
    "LITELLM_LOCAL_MODEL_COST_MAP", "True"
)  # Rasa imports litellm, which looks for prices online


def train_assistant(
    config: str = "config.yml",
    endpoints: str = "endpoints.yml",
    *,
    root: Path = ROOT,
    cache: Path = CACHE,
) -> Path:
    """The path of a model of the files as they are; trained only if there is none yet."""
    model = cache / f"{fingerprint(config, endpoints, root=root)}.tar.gz"
    if not model.exists():
        with quieten_rasa():
            _train(root, config, endpoints, model)
    return model


@contextmanager
def quieten_rasa() -> Iterator[None]:
    """Unconfigured, Rasa prints every debug event; tests that look at logs need their own settings back."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


def fingerprint(*files: str, root: Path = ROOT) -> str:
    """Of these files and of everything that is trained from."""
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
    from rasa.model_training import train  # heavy: only when there is something to train

    # A name of its own, moved when complete: another test process may be training the same model.
    training = train(
        domain=str(root / "domain"),
        config=str(root / config),
        endpoints=str(root / endpoints),
        training_files=[str(root / "flows"), str(root / "nlu")],
        output=str(model.parent),
        fixed_model_name=f"{model.name.partition('.')[0]}-{os.getpid()}",
        force_training=True,
    )
    made = asyncio.run(training)
    if not made.model:
        raise RuntimeError(f"Rasa could not train the assistant from {root}")
    Path(made.model).replace(model)
