"""For which merchant a page of the console works, and who changes something there."""

from uuid import UUID

from coinslot.fleet.config import Editor
from coinslot.people.sessions import SignedIn


def merchant_of(who: SignedIn) -> UUID:
    """No permission of a merchant's is held by anyone who is signed in for none."""
    assert who.merchant is not None
    return who.merchant


def editor_of(who: SignedIn) -> Editor:
    """Who changes something of a machine: `fleet` writes the audit log in the transaction of the
    change."""
    return Editor(merchant_of(who), who.login, who.actor)
