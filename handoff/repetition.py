"""Trying again: what the desk could not do now, it may do in a moment, but not for ever."""

from __future__ import annotations

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_before_delay,
    wait_exponential_jitter,
)

from handoff.errors import DeskBusy, DeskUnavailable

FIRST_WAIT = 0.25  # seconds before the first repetition; doubled with jitter up to LONGEST_WAIT
LONGEST_WAIT = 5.0


def repeat_within(seconds: float) -> AsyncRetrying:
    """Attempts while ``DeskUnavailable`` is raised, for so many seconds; then the last error is raised."""
    return AsyncRetrying(
        retry=retry_if_exception_type(DeskUnavailable),
        stop=stop_before_delay(seconds),
        wait=_wait,
        reraise=True,
    )


def _wait(state: RetryCallState) -> float:
    """The desk's own ``Retry-After`` where it gave one, else growing pauses with jitter."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, DeskBusy) and error.retry_after is not None:
        return error.retry_after
    return float(wait_exponential_jitter(initial=FIRST_WAIT, max=LONGEST_WAIT, jitter=FIRST_WAIT)(state))
