"""What the verbs of this room are given: the context, the installation's address, passwords; and
what they say when they refuse."""

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Database
from coinslot.people.passwords import Passwords
from coinslot.people.tokens import Tokens


@dataclass(slots=True)
class Authentication:
    """One per process. `base_url` is the setting: what a passkey is bound to never comes from a
    header that a client wrote."""

    context: Context
    base_url: str
    _passwords: Passwords | None = field(default=None, init=False)

    @property
    def passwords(self) -> Passwords:
        if self._passwords is None:
            self._passwords = Passwords(self.context.hasher)
        return self._passwords

    @property
    def db(self) -> Database:
        return self.context.db

    @property
    def tokens(self) -> Tokens:
        return Tokens(self.context.signing_key)

    @property
    def host(self) -> str:
        """The relying party's id of passkeys."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def origin(self) -> str:
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    def now(self) -> datetime:
        return self.context.now()


class Client(Struct, frozen=True, kw_only=True):
    """Where a request comes from: its address, the network that limits count, its browser."""

    address: str
    network: str
    agent: str = ""


class NotAllowedError(Exception):
    """Refused, with a code for programs, and details that the caller needs to go on."""

    def __init__(self, code: str, message: str, details: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.details = details or {}


class SignInError(NotAllowedError):
    """Nobody is signed in by this."""


class RuleError(NotAllowedError):
    """Understood, and not possible."""


class NotThereError(NotAllowedError):
    """There is no such one; or it belongs to somebody else, which is told alike."""

    def __init__(self, message: str) -> None:
        super().__init__("not_found", message)


class ForbiddenError(NotAllowedError):
    """Known, and not allowed to."""


def wrong_credentials() -> SignInError:
    """One answer, whichever part was wrong and whether or not there is such a person."""
    return SignInError("invalid_credentials", "Login or password is wrong.")


def over() -> SignInError:
    """A token or session that is not valid: unknown, changed, expired, ended."""
    return SignInError("invalid_token", "This sign-in is over. Sign in again.")
