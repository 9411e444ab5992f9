"""The first account of an installation: whoever starts the server is shown a token, and with it one
account is made that runs the installation. There is no password before that."""

from uuid import UUID

from msgspec import Struct

from coinslot.kit.ids import token, uuid7
from coinslot.people import members
from coinslot.people.audit_log import Act, Actor, record
from coinslot.people.authentication import Authentication, Client, RuleError, SignInError
from coinslot.people.passwords import acceptable
from coinslot.people.tokens import hashed

_IS_OPEN = "SELECT NOT EXISTS (SELECT FROM installation_admins)"


class FirstAccount(Struct, frozen=True, kw_only=True):
    """Who will run the installation."""

    token: str
    login: str
    password: str


async def offer(auth: Authentication) -> str | None:
    """A token for the first account; None when somebody runs the installation already."""
    async with auth.db.system_transaction() as conn:
        if not await conn.fetchval(_IS_OPEN):
            return None
        made = token(32)
        await conn.execute(
            "INSERT INTO first_run_tokens (hash, made_at) VALUES ($1, $2)", hashed(made), auth.now()
        )
    return made


async def is_open(auth: Authentication) -> bool:
    """Whether nobody runs the installation yet."""
    async with auth.db.system_connection() as conn:
        return bool(await conn.fetchval(_IS_OPEN))


async def make_first(auth: Authentication, wanted: FirstAccount, client: Client) -> UUID:
    """The person. Of two who try at once, one is the first.

    Raises SignInError, RuleError, WeakPasswordError, BusyError."""
    await _must_be_offered(auth, wanted.token)  # before a password is hashed
    hash_ = await auth.passwords.hash(acceptable(wanted.password, wanted.login))
    person, now = uuid7(auth.now()), auth.now()
    if not wanted.login.strip():
        raise RuleError("no_address", "Name the login that you want.")
    if await members.person_named(auth.db, wanted.login) is not None:
        raise RuleError("login_taken", "Somebody has this login: choose another one.")
    async with auth.db.system_transaction() as conn:
        await conn.execute("SELECT FROM installation FOR NO KEY UPDATE")
        if not await conn.fetchval(_IS_OPEN):
            raise _closed()
        await members.add_person(conn, person, wanted.login, hash_, now)
        await members.run_installation(conn, person, now)
        who = Actor(person=person, address=client.address)
        await record(conn, who, Act(action="first_account", subject=wanted.login.strip()), now)
    return person


async def _must_be_offered(auth: Authentication, shown: str) -> None:
    async with auth.db.system_connection() as conn:
        known = await conn.fetchval(
            "SELECT count(*) FROM first_run_tokens WHERE hash = $1", hashed(shown)
        )
        if not known or not await conn.fetchval(_IS_OPEN):
            raise _closed()


def _closed() -> SignInError:
    return SignInError("invalid_token", "This token is not the one that was printed, or is used.")
