"""For which merchant a page of the console works."""

from uuid import UUID

from coinslot.people.sessions import SignedIn


def merchant_of(who: SignedIn) -> UUID:
    """No permission of a merchant's is held by anyone who is signed in for none."""
    assert who.merchant is not None
    return who.merchant
