"""Stripe's error answers, in its own words where its documents give them."""

from typing import Any

from sandbox.front import RefusalError


class ApiError(RefusalError):
    """An answer of the API other than success. `kept`: the idempotency key replays it."""

    def __init__(
        self, message: str, *, status: int = 400, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.kind = "invalid_request_error"
        self.kept = True

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"message": self.message, "type": self.kind}
        if self.code is not None:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param is not None:
            error["param"] = self.param
        return {"error": error}


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """Refused before anything was begun: no idempotency key remembers it."""
    refusal = ApiError(message, code=code, param=param)
    refusal.kept = False
    return refusal


def unauthorized() -> ApiError:
    return ApiError("Invalid API Key provided", status=401)


def no_such_url(method: str, path: str) -> ApiError:
    return ApiError(f"Unrecognized request URL ({method}: {path}).", status=404)


def no_such_thing(kind: str, thing_id: str, param: str, *, in_path: bool) -> ApiError:
    return ApiError(
        f"No such {kind}: '{thing_id}'",
        status=404 if in_path else 400,
        code="resource_missing",
        param=param,
    )


def unexpected_state(what: str) -> ApiError:
    return ApiError(what, code="payment_intent_unexpected_state")


def other_parameters(key: str) -> ApiError:
    refusal = ApiError(
        "Keys for idempotent requests can only be used with the same parameters they were first"
        f" used with. Try using a key other than '{key}' if you meant to execute a different"
        " request."
    )
    refusal.kind = "idempotency_error"
    return refusal


def key_in_use(key: str) -> ApiError:
    return ApiError(
        f"There is currently another in-progress request using this Stripe API key: '{key}'",
        status=409,
        code="idempotency_key_in_use",
    )


def in_trouble() -> ApiError:
    refusal = ApiError("An unknown error occurred", status=500)
    refusal.kind = "api_error"
    return refusal
