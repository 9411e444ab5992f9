"""The mirror of an installation whose settings name a Firebase Realtime Database."""

from contextlib import AsyncExitStack

from coinslot.db.pool import Database
from coinslot.events.mirror.firebase import FirebaseCredentialsError, Remote, Tokens, address
from coinslot.events.mirror.mirror import Mirror
from coinslot.events.mirror.rows import Rows
from coinslot.kit.clock import Clock
from coinslot.settings import Settings, SettingsError


def remote(settings: Settings, stack: AsyncExitStack) -> Remote | None:
    """The database that the settings name. Raises SettingsError."""
    if settings.firebase_url is None:
        return None
    try:
        tokens = Tokens(settings.firebase_credentials)
    except FirebaseCredentialsError as error:
        raise SettingsError(f"COINSLOT_FIREBASE_CREDENTIALS: {error}") from error
    found = Remote(address(settings.firebase_url), tokens)
    stack.push_async_callback(found.close)
    return found


def mirror(settings: Settings, db: Database, clock: Clock, stack: AsyncExitStack) -> Mirror | None:
    """None where nothing is mirrored. Raises SettingsError."""
    found = remote(settings, stack)
    if found is None:
        return None
    return Mirror(db, Rows(db, clock, settings.windows.span("online_s")), found, clock)
