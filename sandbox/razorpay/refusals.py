"""Razorpay's error answers, in its own words where its documents give them."""

from typing import Any

from sandbox.front import RefusalError


class ApiError(RefusalError):
    """An answer of the API other than success."""

    def __init__(self, description: str, *, status: int = 400, field: str | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.field = field

    def body(self) -> dict[str, Any]:
        business = self.status == 400
        error: dict[str, Any] = {
            "code": "SERVER_ERROR" if self.status >= 500 else "BAD_REQUEST_ERROR",
            "description": self.description,
            "source": "business" if business else "NA",
            "step": "payment_initiation" if business else "NA",
            "reason": "input_validation_failed" if business else "NA",
            "metadata": {},
        }
        if self.field is not None:
            error["field"] = self.field
        return {"error": error}


def unauthorized() -> ApiError:
    return ApiError("Authentication failed", status=401)


def no_such_url() -> ApiError:
    return ApiError("The requested URL was not found on the server.", status=404)


def no_such_id() -> ApiError:
    return ApiError("The id provided does not exist")


def unexpected(names: list[str]) -> ApiError:
    return ApiError(f"{', '.join(names)} is/are not required and should not be sent")


def in_trouble() -> ApiError:
    return ApiError(
        "We are facing some trouble completing your request at the moment. Please try again"
        " shortly.",
        status=500,
    )
