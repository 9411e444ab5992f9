"""Asha's and Chandra's people, who can sign in, on a real database."""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
from argon2 import PasswordHasher
from litestar import Litestar

from coinslot.kit.ids import uuid7
from coinslot.people import members
from coinslot.people.authentication import Authentication, Client, NotAllowedError
from coinslot.people.members import run_installation
from coinslot.people.roles import INSTALLATION
from tests.kept_app import lent_app
from tests.sales.conftest import stage as stage  # the books are closed after each test
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import Stage
from tests.web.serving import SITE

PASSWORD = "cold masala cola"
HERE = "203.0.113.7"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # a real one takes tenths of a s
HASHED = CHEAP.hash(PASSWORD)
# Who works for whom: login, merchant, role, outlets.
CAST = (
    ("asha", "asha", "admin", ()),
    ("boris", "asha", "operator", ()),
    ("vera", "asha", "viewer", ()),
    ("ravi", "asha", "staff", ("M01",)),
    ("chandra", "chandra", "admin", ()),
    ("dinesh", "chandra", "operator", ()),
    ("esha", "chandra", "viewer", ()),
    ("farid", "chandra", "staff", ("C01",)),
    ("meera", None, INSTALLATION, ()),
)


@dataclass
class Staffed:
    """The stage with people. `as_` is a client that is signed in."""

    stage: Stage
    app: Litestar
    auth: Authentication
    chandra: UUID
    people: dict[str, UUID] = field(default_factory=dict)

    @property
    def merchant(self) -> UUID:
        return self.stage.merchant

    def later(self, seconds: float) -> None:
        self.stage.later(seconds)

    def client(self, address: str = HERE) -> httpx.AsyncClient:
        """Someone at this address, who is not signed in."""
        app: Any = self.app
        wire = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 1))
        return httpx.AsyncClient(transport=wire, base_url="http://coinslot.test")

    async def login(self, login: str, address: str = HERE, **more: Any) -> httpx.Response:
        async with self.client(address) as client:
            body = {"login": login, "password": PASSWORD, **more}
            return await client.post("/auth/login", json=body)

    async def token(self, login: str, **more: Any) -> str:
        answer = await self.login(login, **more)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def call(
        self, token: str, method: str, path: str, body: Any = None, address: str = HERE
    ) -> httpx.Response:
        async with self.client(address) as client:
            headers = {"authorization": f"Bearer {token}", "idempotency-key": "k"}
            return await client.request(method, path, json=body, headers=headers)

    async def log(self, action: str) -> list[dict[str, Any]]:
        """Entries of the audit log, as the system login sees them."""
        async with self.stage.context.db.system_transaction() as conn:
            rows = await conn.fetch(
                "SELECT * FROM audit_log WHERE action = $1 ORDER BY seq", action
            )
        return [dict(row) for row in rows]


def at(address: str = HERE) -> Client:
    return Client(address=address, network=address, agent="a browser")


@pytest.fixture
async def staffed(stage: Stage) -> Staffed:
    return await with_people(stage)


async def with_people(stage: Stage, app: Litestar | None = None) -> Staffed:
    """The cast, for Asha's and Chandra's merchants."""
    stage.context.hasher = CHEAP
    chandra = (await chandras_machine(stage)).merchant_id
    made = Staffed(
        stage, app or lent_app(stage), Authentication(stage.context, SITE.base_url), chandra
    )
    db, now = stage.context.db, stage.clock.now()
    merchants = {"asha": stage.merchant, "chandra": chandra}
    for login, merchant, role, outlets in CAST:
        person = uuid7(now)
        async with db.as_person(person, merchants.get(merchant or "")) as conn:
            await members.add_person(conn, person, login, HASHED, now)
            if merchant is not None:
                wanted = members.Role(role=role, outlets=outlets)
                await members.join(conn, person, merchants[merchant], wanted, now)
        if merchant is None:
            async with db.system_transaction() as conn:
                await run_installation(conn, person, now)
        made.people[login] = person
    return made


async def refusal(call: Awaitable[object]) -> NotAllowedError:
    with pytest.raises(NotAllowedError) as error:
        await call
    return error.value


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"])
