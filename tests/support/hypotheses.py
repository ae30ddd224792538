"""Hypothesis on machines that are busy with other things too."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)


def be_patient() -> None:
    """Judge the code by its results, not by its speed on this machine."""
    settings.load_profile("patient")
