"""T-Bank's error answers: HTTP 200, and a code in the body."""

from typing import Any

import msgspec

from sandbox.front import RefusalError


class ApiError(RefusalError):
    """An answer of the API other than success. Codes are T-Bank's, words are ours."""

    status = 200  # refusals come with it, as successes do

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def body(self) -> dict[str, Any]:
        return {
            "Success": False,
            "ErrorCode": str(self.code),
            "Message": "Запрос отклонён.",
            "Details": self.message,
        }


def missing(name: str) -> ApiError:
    return ApiError(201, f"Поле {name} обязательно.")


def invalid(name: str) -> ApiError:
    return ApiError(210, f"Поле {name} заполнено неверно.")


def unreadable(problem: msgspec.MsgspecError) -> ApiError:
    return ApiError(210, f"Запрос не читается: {problem}")


def bad_token() -> ApiError:
    return ApiError(204, "Неверный токен.")


def no_terminal() -> ApiError:
    return ApiError(205, "Терминал не найден.")


def not_found() -> ApiError:
    return ApiError(255, "Операция не найдена.")


def wrong_state(status: str) -> ApiError:
    return ApiError(8, f"Неверный статус операции: {status}.")


def bad_receipt(code: int) -> ApiError:
    return ApiError(code, "Чек отсутствует или не сходится с суммой.")


def in_trouble() -> ApiError:
    refusal = ApiError(9999, "Внутренняя ошибка системы.")
    refusal.status = 500
    return refusal
