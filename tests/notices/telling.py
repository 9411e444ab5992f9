"""A stage whose people are told through a mock, and what they heard."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from coinslot.events.notices import alerts, plan
from coinslot.notices.base import Form
from coinslot.notices.mock import Mock
from coinslot.notices.mock import Settings as MockSettings
from coinslot.worker import sweep
from tests.people.conftest import Staffed

PACE = sweep.Pace()


@dataclass
class Told:
    """Asha's and Chandra's people with addresses, and the mock that carries what they are told."""

    staffed: Staffed
    mock: Mock
    seen: int = field(default=0)

    @property
    def context(self) -> Any:
        return self.staffed.stage.context

    async def round(self) -> list[tuple[str, str]]:
        """Look, plan, send all that is due now; to whom went what since the last round."""
        await alerts.look(self.context)
        await plan.plan(self.context)
        while await sweep.sweep_once(self.context, "notices", PACE):
            pass
        fresh, self.seen = self.mock.sent[self.seen :], len(self.mock.sent)
        return [(box.notice.to.partition("@")[0], box.notice.subject) for box in fresh]

    async def pass_(self, seconds: float, step: float = 60) -> list[tuple[str, str]]:
        """Rounds while time goes by."""
        heard = []
        while seconds > 0:
            self.staffed.later(min(step, seconds))
            seconds -= step
            heard += await self.round()
        return heard

    async def heard(self, *machines: str) -> None:
        """These machines are heard now."""
        async with self.context.db.system_transaction() as conn:
            await conn.execute(
                "UPDATE devices SET last_seen_at = $2 WHERE outlet_id = ANY ($1)",
                list(machines), self.context.now(),
            )  # fmt: skip

    async def address(self, login: str) -> None:
        """They confirmed an address."""
        await self.settings(login, address=f"{login}@shop.example")

    async def settings(self, login: str, **more: Any) -> None:
        values = {"language": "en", "digest_at": 540, **more}
        person = self.staffed.people[login]
        names = list(values)
        async with self.context.db.as_person(person) as conn:
            await conn.execute(
                f"INSERT INTO notice_settings (person_id, {', '.join(names)}) VALUES ($1,"
                f" {', '.join(f'${n}' for n in range(2, len(names) + 2))}) ON CONFLICT (person_id)"
                f" DO UPDATE SET ({', '.join(names)}) = ROW ("
                f"{', '.join(f'excluded.{name}' for name in names)})",
                person, *values.values(),
            )  # fmt: skip

    async def choose(self, login: str, event: str, mail: str, *, push: bool = False) -> None:
        person = self.staffed.people[login]
        async with self.context.db.as_person(person, self.staffed.merchant) as conn:
            await conn.execute(
                "INSERT INTO notice_choices VALUES ($1, $2, $3, $4, $5)",
                person, self.staffed.merchant, event, mail, push,
            )  # fmt: skip

    async def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        async with self.context.db.system_connection() as conn:
            return [dict(row) for row in await conn.fetch(sql, *values)]


async def telling(staffed: Staffed) -> Told:
    """Everyone of the cast has an address."""
    context = staffed.stage.context
    context.windows = replace(context.windows, machine_silent_s=300)
    mock = Mock(MockSettings(), context.clock)
    context.notifiers = {Form.EMAIL: mock}
    told = Told(staffed, mock)
    for login in ("asha", "boris", "vera", "ravi", "chandra", "meera"):
        await told.address(login)
    return told


def person_of(told: Told, login: str) -> UUID:
    return told.staffed.people[login]
