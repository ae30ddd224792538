"""Debian's Chromium for browser tests: where it is, and how to start it headless and silent."""

from __future__ import annotations

import os
import shutil

import pytest

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def give_up(reason: str) -> None:
    """Skip with the reason; in CI everything can be had, so there an absence is a failure."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def find_chromium() -> str:
    """Its path; the test is skipped, or fails in CI, where it is not installed."""
    path = shutil.which("chromium")
    if path is None:
        give_up("Chromium is not installed")
    assert path
    return path
