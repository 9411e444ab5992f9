"""YooKassa's error answers, in its own words where its documents or its users give them."""

from typing import Any
from uuid import uuid4

from sandbox.front import RefusalError


class ApiError(RefusalError):
    """An answer of the API other than success."""

    def __init__(
        self,
        description: str,
        parameter: str | None = None,
        *,
        status: int = 400,
        code: str = "invalid_request",
    ) -> None:
        super().__init__(description)
        self.description = description
        self.parameter = parameter
        self.status = status
        self.code = code

    def body(self) -> dict[str, Any]:
        said = {"type": "error", "id": str(uuid4()), "code": self.code}
        said["description"] = self.description
        return said if self.parameter is None else said | {"parameter": self.parameter}


def unauthorized() -> ApiError:
    description = "Error in shopId or secret key. Check their validity."
    return ApiError(description, "Authorization", status=401, code="invalid_credentials")


def no_such_url() -> ApiError:
    return ApiError("Resource not found.", status=404, code="not_found")


def no_such_payment(parameter: str = "payment_id") -> ApiError:
    """It says so with 400, and of another shop's payment too."""
    return ApiError(f"Incorrect {parameter}. Payment doesn't exist or access denied.", parameter)


def no_such_refund() -> ApiError:
    return ApiError("Incorrect refund_id. Refund doesn't exist or access denied.", "refund_id")


def no_such_receipt() -> ApiError:
    return ApiError("Incorrect receipt_id. Receipt doesn't exist or access denied.", "receipt_id")


def key_reused() -> ApiError:
    return ApiError("Idempotence key duplicated", "Idempotence-Key")


def in_trouble() -> ApiError:
    """Whether it was done, only a repetition with the same key tells."""
    description = "Internal server error. Repeat the request with the same Idempotence-Key."
    return ApiError(description, status=500, code="internal_server_error")
