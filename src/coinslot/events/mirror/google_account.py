"""A Google service account: short-lived tokens for the mirror's database, by Google's library."""

from pathlib import Path
from typing import Any

from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request
from google.oauth2 import service_account

SCOPES = (
    "https://www.googleapis.com/auth/userinfo.email",
    "https://www.googleapis.com/auth/firebase.database",
)
_TOKEN_TIMEOUT_S = 10


class GoogleAccount:
    """`refresh` blocks: to be called in a thread."""

    def __init__(self, file: Path) -> None:
        """Raises OSError and ValueError for a file that is no service account's."""
        try:
            self._credentials = service_account.Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
                str(file), scopes=list(SCOPES)
            )
        except GoogleAuthError as error:
            raise ValueError(type(error).__name__) from error

    @property
    def valid(self) -> bool:
        """Whether there is a token that has not run out."""
        return bool(self._credentials.valid)

    @property
    def token(self) -> str:
        return str(self._credentials.token)

    def refresh(self) -> None:
        """Fetch a new token. Raises ConnectionError."""
        try:
            self._credentials.refresh(_asking)
        except GoogleAuthError as error:
            raise ConnectionError(type(error).__name__) from error


def _asking(*wanted: Any, **more: Any) -> Any:
    """Google's own transport would wait for two minutes."""
    return Request()(*wanted, **{**more, "timeout": _TOKEN_TIMEOUT_S})
