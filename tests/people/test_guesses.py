"""Guesses that try to go uncounted, and tries that are counted though nobody looked at them."""

from collections.abc import Callable

import pytest

from coinslot.people import sign_in
from coinslot.people.authentication import SignInError
from coinslot.people.limits import TooOftenError
from coinslot.people.passwords import BusyError, Passwords
from tests.people.conftest import CHEAP, Staffed, at


class FullPasswords(Passwords):
    """As where many people sign in at once: nobody else's password is looked at."""

    def __init__(self) -> None:
        super().__init__(CHEAP, waiting=0)


async def guesses(staffed: Staffed, spelled: str, network: Callable[[int], str], most: int) -> int:
    """How many of them were refused before their password was looked at."""
    refused = 0
    for n in range(most):
        attempt = sign_in.Attempt(login=spelled, password="wrong")
        try:
            await sign_in.sign_in(staffed.auth, attempt, at(network(n)))
        except TooOftenError:
            refused += 1
        except SignInError:
            pass
    return refused


@pytest.mark.parametrize("other", ["BORIS", "bor\u0130s", " Bor\u0130S "])
async def test_another_spelling_of_a_login_is_no_other_account_to_guess_at(
    staffed: Staffed, other: str
) -> None:
    """The database makes an i of a capital I with a dot; Python makes two characters of it."""
    assert await guesses(staffed, "boris", lambda n: f"10.0.0.{n}", 100) == 0
    assert await guesses(staffed, other, lambda n: f"10.0.1.{n}", 5) == 5


async def test_tries_that_found_no_room_to_be_checked_lock_nobody_out(staffed: Staffed) -> None:
    staffed.auth._passwords = FullPasswords()
    attempt = sign_in.Attempt(login="boris", password="cold masala cola")
    for _ in range(30):
        with pytest.raises(BusyError):
            await sign_in.sign_in(staffed.auth, attempt, at())
    staffed.auth._passwords = None
    assert (await staffed.login("boris")).status_code == 200


async def test_room_that_was_missing_forgets_no_wrong_password(staffed: Staffed) -> None:
    assert await guesses(staffed, "boris", lambda _: "10.0.0.1", 9) == 0
    staffed.auth._passwords = FullPasswords()
    attempt = sign_in.Attempt(login="boris", password="wrong")
    with pytest.raises(BusyError):
        await sign_in.sign_in(staffed.auth, attempt, at("10.0.0.1"))
    staffed.auth._passwords = None
    assert await guesses(staffed, "boris", lambda _: "10.0.0.1", 3) == 2


async def test_whoever_has_a_login_of_their_own_guesses_no_more_often_at_others(
    staffed: Staffed,
) -> None:
    """Signing in rightly now and then does not begin the count of the network anew."""
    refused = 0
    own = sign_in.Attempt(login="esha", password="cold masala cola")
    for n in range(65):
        if n % 20 == 10:
            await sign_in.sign_in(staffed.auth, own, at("10.0.0.1"))
        refused += await guesses(staffed, f"somebody{n}", lambda _: "10.0.0.1", 1)
    assert refused == 5


async def test_an_owner_who_signs_in_gives_no_new_guesses_to_many_networks(
    staffed: Staffed,
) -> None:
    assert await guesses(staffed, "boris", lambda n: f"10.0.0.{n}", 99) == 0
    own = sign_in.Attempt(login="boris", password="cold masala cola")
    await sign_in.sign_in(staffed.auth, own, at("198.51.100.1"))
    assert await guesses(staffed, "boris", lambda n: f"10.0.1.{n}", 5) == 4
