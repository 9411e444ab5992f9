"""What we stand on is away, crashes or is full: we wait, say so, and lose nothing acknowledged."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from functools import partial

import asyncpg
import pytest
import pytest_asyncio

from tests.ports import free_port
from tests.scenarios.disk import Disk
from tests.scenarios.external import Nats
from tests.scenarios.installation import Installation, eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")
PROCESSES = ("web", "device-1", "worker-1")
MACHINES = {"M01": "", "M02": "", "M03": "device-1", "M05": ""}
BOUND_S = 90
PAID_MAX = 24
WAL_SEGMENTS = 8  # more than a small server keeps in reserve


class Outage(Installation):
    """Its database can be taken away, and its machines counted."""

    server: Disk

    def drops(self) -> int:
        return sum(len(self.simulator.drops(code)) for code in MACHINES)

    def pay(self, times: int) -> list[str]:
        """So many payments over all machines."""
        codes = [code for _ in range(times) for code in MACHINES][:times]
        return [self.scan(code) for code in codes]

    def refused(self, references: list[str]) -> set[int]:
        """The last answers to webhooks of these payments that were not taken."""
        rows = self.sandbox.deliveries(state="pending")
        return {
            row["last_status"] for row in rows if row["reference"] in references and row["attempts"]
        }

    def attempted(self, references: list[str]) -> bool:
        """Whether every webhook of these payments was answered, somehow."""
        rows = [row for row in self.sandbox.deliveries() if row["reference"] in references]
        return {row["reference"] for row in rows} == {*references} and all(
            row["attempts"] for row in rows
        )

    async def assert_all_are_sold(self, references: list[str], before: int) -> None:
        """Each is goods, what was acknowledged is kept, and the books are right."""
        for reference in references:
            await eventually(partial(self._completed, reference), BOUND_S)
        await eventually(lambda: not self.sandbox.deliveries(state="pending"), BOUND_S)
        acknowledged = {row["event_id"] for row in self.sandbox.deliveries(state="delivered")}
        inbox = await self.rows(
            "SELECT headers->>'x-razorpay-event-id' AS event FROM inbox WHERE verdict = 'genuine'"
        )
        assert acknowledged <= {row["event"] for row in inbox}
        assert self.drops() == before + len(references)
        await self.assert_books_are_right()

    async def _completed(self, reference: str) -> bool:
        return await self.order(reference) == "completed"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Outage]:
    folder = tmp_path_factory.mktemp("outage")
    server = Disk(folder / "disk", free_port())
    await server.open()
    running = Outage(folder / "home", Nats(folder / "broker"), server)
    try:
        await running.open()
        await asyncio.gather(*(running.start(name) for name in PROCESSES))
        await running.power_on(MACHINES)
        yield running
    finally:
        await running.close()
        await server.close()


async def test_a_process_started_without_its_database_says_so_waits_and_goes_on(
    outage: Outage,
) -> None:
    server = outage.server.url("", "").rpartition("@")[2].partition("/")[0]
    await outage.server.ask("stop")
    waiting = [outage.part(name) for name in ("serve-2", "web-2", "device-2", "worker-2")]
    for part in waiting:
        part.start()
    doctor = await outage.command("doctor")
    assert doctor.returncode == 1
    assert re.search(rf"sick +database: no PostgreSQL answers at {server}: ", doctor.stdout)
    assert re.search(r"well +broker: reachable", doctor.stdout)
    assert "password-of" not in doctor.stdout + doctor.stderr
    for part in waiting:
        await eventually(lambda p=part: "database_unreachable" in p.said(), BOUND_S)  # type: ignore[misc]
        assert part.runs
    await outage.server.ask("start")
    for part in waiting:
        await eventually(lambda p=part: "Coinslot ready" in p.said(), BOUND_S)  # type: ignore[misc]
        await part.stop()
        assert "Traceback" not in part.said()
    well = await outage.command("doctor")
    assert well.returncode == 0
    told = [line for line in well.stdout.splitlines() if "background: " in line]
    assert "nothing fails in " in told[0]
    assert all(f"{role} on " in told[0] for role in ("device", "web", "worker"))


async def test_a_device_process_started_without_its_broker_says_so_and_sells_when_it_is_there(
    outage: Outage,
) -> None:
    before = outage.drops()
    await outage.broker.stop()
    device = await outage.start("device-2")
    await eventually(lambda: "the MQTT broker is not there" in device.said(), BOUND_S)
    doctor = await outage.command("doctor")
    assert doctor.returncode == 1
    address = f"127.0.0.1:{outage.broker.port}"
    assert re.search(rf"sick +broker: no MQTT broker lets us in at {address}: ", doctor.stdout)
    assert re.search(r"well +database: up to date", doctor.stdout)
    reference = outage.scan("M01")
    await outage.broker.start(outage.world.known.devices)
    await eventually(lambda: "the MQTT broker is there" in device.said(), BOUND_S)
    await outage.assert_all_are_sold([reference], before)
    await device.stop()


async def test_a_webhook_without_a_database_is_refused_and_told_again_buys_goods(
    outage: Outage,
) -> None:
    before = outage.drops()
    await outage.server.ask("stop")
    reference = outage.scan("M02")
    await eventually(lambda: outage.attempted([reference]), BOUND_S)
    assert outage.refused([reference]) == {503}
    answer = await outage.http.post(f"{outage.web_url}/webhooks/razorpay/asha", content=b"{}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    health = await outage.http.get(f"{outage.web_url}/health")
    assert health.json()["checks"]["database"]["status"] == "unhealthy"
    await outage.server.ask("start")
    await outage.assert_all_are_sold([reference], before)


async def test_a_database_that_crashes_in_the_middle_loses_nothing_acknowledged(
    outage: Outage,
) -> None:
    before = outage.drops()
    paid = await asyncio.to_thread(outage.pay, 6)
    await eventually(lambda: outage.drops() > before, BOUND_S)
    await outage.server.ask("crash")
    paid += await asyncio.to_thread(outage.pay, 4)
    await eventually(lambda: outage.refused(paid), BOUND_S)
    await outage.server.ask("start")
    paid += await asyncio.to_thread(outage.pay, 2)
    await outage.assert_all_are_sold(paid, before)


@pytest.mark.parametrize("where", ["data", "wal"])
async def test_a_full_disk_loses_nothing_acknowledged(outage: Outage, where: str) -> None:
    if not outage.server.small:
        pytest.skip("no right to mount a small disk")
    before = outage.drops()
    await outage.server.ask("fill")
    if where == "wal":
        await _use_up_the_log(outage)
    paid: list[str] = []
    while not (answers := outage.refused(paid)):
        assert len(paid) < PAID_MAX, "the full disk was not felt"
        paid += await asyncio.to_thread(outage.pay, 4)
        await eventually(partial(outage.attempted, paid), BOUND_S)
    assert answers == {503}
    await outage.server.ask("free")
    if where == "wal":
        await outage.server.ask("start")  # it gave up when it could not write its log
    await outage.assert_all_are_sold(paid, before)


async def _use_up_the_log(outage: Outage) -> None:
    """The server cannot begin another segment of its log, and panics."""
    try:
        for _ in range(WAL_SEGMENTS):
            await outage.rows("SELECT pg_logical_emit_message(true, '', repeat('x', 1 << 20))")
            await outage.rows("SELECT pg_switch_wal()")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return
    raise AssertionError("the log still finds room")


async def test_a_port_that_is_taken_is_said_in_one_line(outage: Outage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = await asyncio.gather(
            *(outage.command(role, COINSLOT_PORT=str(port)) for role in ("serve", "web", "device"))
        )
    for done in ended:
        assert done.returncode == 1
        (line,) = [one for one in done.stderr.splitlines() if one.startswith("coinslot:")]
        assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in line
        assert "name another with --port" in line
        assert "Traceback" not in done.stderr
