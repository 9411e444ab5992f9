"""What is answered when it is no: a status, and one line that no client decides by."""

from typing import Any

from sandbox.front import RefusalError


class ApiError(RefusalError):
    """Answered with this status as {"message": ...}."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def body(self) -> dict[str, Any]:
        return {"message": self.message}


def in_trouble() -> ApiError:
    return ApiError(500, "Internal Server Error")
