"""What can go wrong, as one tree.

::

    HandoffError
    ├── SettingsError          a setting is missing or wrong; refused at start
    ├── AlreadyOpen            the conversation already belongs to the desk
    ├── LedgerOutdated         the database was made by another version
    ├── LedgerAway             the database's server cannot be reached
    ├── LeaseLost              another process has taken over what this one was doing
    ├── LedgerMissing          there is no database where the settings say
    ├── LedgerReadOnly         the database takes no writes
    ├── BackupFailed           a copy of the ledger could not be made, or is not whole
    ├── ReportFailed           a report could not be written
    ├── NotConfirmed           something would be lost, and nobody has said that it may be
    ├── NotFound               an operator named what is not there, or not once
    ├── LetterRefused          a client did not take a message that was posted to it
    ├── FileRefused            a file is not taken from a requester; says why in the domain's words
    └── DeskError              the desk did not do what it was asked
        ├── DeskUnavailable    no answer, a broken one, or a 5xx; worth another try
        │   └── DeskBusy       429; says how long to wait
        │       └── FilesUnavailable  only files cannot be given to it now
        └── DeskRejected       the desk answered and said no; trying again is pointless
            └── FileNotTaken   it takes no such file; the chat goes on
"""

from __future__ import annotations

from collections.abc import Sequence


class HandoffError(Exception):
    """Base of everything this project raises on purpose."""


class SettingsError(HandoffError):
    """One or more settings are missing or wrong.

    ``problems`` holds one sentence each; none of them contains a secret's value.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("Please correct the settings:\n" + "\n".join(f"  - {p}" for p in problems))


class AlreadyOpen(HandoffError):
    """The conversation has an open handoff, and there is at most one."""


class LedgerOutdated(HandoffError):
    """The ledger's tables do not fit this version of the code."""


class LedgerAway(HandoffError):
    """The ledger's database server cannot be reached; worth another try."""


class LeaseLost(HandoffError):
    """Another process has taken over the work that was under way here; nothing of it may be written."""


class LedgerMissing(HandoffError):
    """There is no ledger where the settings say that it is."""


class LedgerReadOnly(HandoffError):
    """The ledger's database takes no writes, as a standby does."""


class BackupFailed(HandoffError):
    """A copy of the ledger could not be made, or is not whole."""


class ReportFailed(HandoffError):
    """A report could not be written to its file."""


class NotConfirmed(HandoffError):
    """Something would be lost for good, and nobody has said that it may be."""


class NotFound(HandoffError):
    """What an operator named is not there, or the name fits several."""


class LetterRefused(HandoffError):
    """A client did not take a message; ``is_final`` where trying again is pointless.

    ``retry_after`` is in seconds, None where it did not say.
    """

    def __init__(self, reason: str, *, retry_after: float | None = None, is_final: bool = False) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.is_final = is_final


class FileRefused(HandoffError):
    """A file of a requester is not taken; ``response`` of the domain says why, with its values."""

    def __init__(self, response: str, **values: str) -> None:
        super().__init__(response)
        self.response = response
        self.values = values


class DeskError(HandoffError):
    """The desk did not do what it was asked."""


class DeskUnavailable(DeskError):
    """No usable answer: connection refused or lost, time-out, 5xx, or something that is not the API.

    ``possibly_done`` is true when the request was written and only its answer was lost,
    so the desk may have acted on it.
    """

    def __init__(self, reason: str, *, possibly_done: bool = False) -> None:
        super().__init__(reason)
        self.possibly_done = possibly_done


class DeskBusy(DeskUnavailable):
    """The desk's rate limit was hit; ``retry_after`` is in seconds, None where it did not say."""

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class FilesUnavailable(DeskBusy):
    """A file could not be given to the desk now; where that lasts, only the file is given up."""


class DeskRejected(DeskError):
    """The desk understood and refused; ``status`` is the HTTP status, where there was one."""

    def __init__(self, reason: str, *, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class FileNotTaken(DeskRejected):
    """The desk does not take a file; what else is written to it is not concerned."""


def name_failure(error: DeskError) -> str:
    """How a desk failed, in one word of the metrics."""
    if isinstance(error, DeskBusy) and not isinstance(error, FilesUnavailable):
        return "busy"
    return "unavailable" if isinstance(error, DeskUnavailable) else "rejected"
