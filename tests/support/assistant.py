"""The assistant for tests, trained once per content of its files, through Rasa's public Python API."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from local import training

ROOT = training.ROOT


def train_assistant(config: str = "config.yml", endpoints: str = "endpoints.yml") -> Path:
    """The path of a model of the files as they are; trained only if there is none yet."""
    with quieten_rasa():
        return training.train_assistant(config, endpoints)


@contextmanager
def quieten_rasa() -> Iterator[None]:
    """Unconfigured, Rasa prints every debug event; tests that look at logs need their own settings back."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)
