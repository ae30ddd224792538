"""What can go wrong, as types.

SimulatorError
├── UnknownChat     no chat has this id, no user of this id has a chat
├── WrongState      the chat is not in a state in which a person could do that
├── BadCommand      a control call with missing or meaningless values
└── ApiError        the imitated instance refuses a request; carries status, message and detail
"""


class SimulatorError(Exception):
    """Base of everything this package raises on purpose."""


class UnknownChat(SimulatorError):
    """No chat has this id, and no user of this id has a chat."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no chat with the id, and none of a user called, {name!r}")


class WrongState(SimulatorError):
    """The chat is not in a state in which a person at the desk could do that."""


class BadCommand(SimulatorError):
    """A control call had missing or meaningless values."""


class ApiError(SimulatorError):
    """The imitated instance refuses a request, in the shape of reference section 15."""

    def __init__(self, status: int, message: str, detail: str | None = None) -> None:
        super().__init__(f"{status} {message}: {detail}")
        self.status = status
        self.message = message
        self.detail = detail

    def body(self) -> dict[str, object]:
        """Return the JSON every REST error of the platform has."""
        return {"error": {"message": self.message, "detail": self.detail}, "status": "failure"}


def unauthenticated() -> ApiError:
    """Return the platform's 401 (reference section 15; wording from public posts)."""
    return ApiError(401, "User Not Authenticated", "Required to provide Auth information")
