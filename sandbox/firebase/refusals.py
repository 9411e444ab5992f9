"""What the Realtime Database answers when it will not: a status, and one line under `error`."""

from typing import Any

from sandbox.front import Answered, RefusalError


class RefusedError(RefusalError):
    """Answered with this status as {"error": message}."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def body(self) -> dict[str, Any]:
        return {"error": self.message}


def unreadable() -> RefusedError:
    return RefusedError(
        400,
        "Invalid data; couldn't parse JSON object. Are you sending a JSON object with valid key"
        " names?",
    )


def bad_path(path: str) -> RefusedError:
    return RefusedError(400, f"Invalid path: {path!r}: a key has none of . $ # [ ] / in it")


def in_trouble() -> Answered:
    return RefusedError(503, "Service unavailable, please try again.").answered()
