"""One storm over a town: the history happens, the weather clears, everything settles."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any
from uuid import uuid4

import aiomqtt
import msgspec

from coinslot.app.demo_world import COFFEE, DEMO_MACHINES
from coinslot.fleet import config
from coinslot.fleet.config import ConfigChange, Editor, SlotChange
from coinslot.kit.ids import token
from tests.storms import builds, coffee, counter, printers, receipts, stock, walk_ins
from tests.storms.chronicle import EVERYONE, Chronicle
from tests.storms.compare_charges import charged
from tests.storms.history import LASTING, Event
from tests.storms.people import People
from tests.storms.servers import Servers
from tests.storms.tills import TILLS, account_of
from tests.storms.town import AWAY, SERVERS, Town, until

MERCHANT_OF = {machine.code: machine.merchant for machine in DEMO_MACHINES}
CALM = {
    "webhooks": {"lose": 0, "repeat": 0, "reorder": 0, "forge": 0, "hold": False},
    "api": {"latency_ms": 0, "error_5xx": 0, "drop_response": 0, "refund_fails_later": 0},
}
MENDED = {**dict.fromkeys((*LASTING, "wipe_journal"), False), "power_cut_at": None}
SETTLED_WITHIN_S = 120.0
LOOK_S = 0.25
STALL_S = 0.5
READ_ONLY = "ALTER SYSTEM SET default_transaction_read_only = on"
READ_WRITE = "ALTER SYSTEM RESET default_transaction_read_only"

_OPEN = """
SELECT 'capture' AS what, id::text FROM captures WHERE open > 0
UNION ALL SELECT 'unit', id::text FROM fulfillments WHERE settlement IS NULL
UNION ALL SELECT 'refund', id::text FROM refunds WHERE state = 'pending'
UNION ALL SELECT 'attempt', id::text FROM attempts WHERE state IN ('started', 'unknown')
    AND payment_id IN (SELECT id FROM payments WHERE source = 'api')
UNION ALL SELECT 'payment', id::text FROM payments WHERE source = 'api' AND state = 'processing'
UNION ALL SELECT 'webhook of ours', id::text FROM deliveries WHERE outcome IS NULL
UNION ALL SELECT 'log behind', name FROM feed_cursors
    WHERE name = 'announce' AND seq < (SELECT max(seq) FROM events)
UNION ALL SELECT 'receipt', r.id::text FROM receipts r LEFT JOIN attempts a ON a.id = r.attempt_id
    LEFT JOIN refunds f ON f.id = r.refund_id WHERE r.state IN ('due', 'sent')
    AND 'succeeded' IN (a.state, f.state)
UNION ALL SELECT 'second receipt', id::text FROM receipts WHERE closes_at IS NOT NULL
UNION ALL SELECT 'order', id::text FROM orders WHERE state IN ('placed', 'paid')
UNION ALL SELECT 'webhook', id::text FROM inbox WHERE due_at IS NOT NULL
UNION ALL SELECT 'qr', id::text FROM qr_codes WHERE stage IN ('wanted', 'closing')
    OR (stage = 'open' AND payment_id IS NOT NULL AND (asked_at IS NULL OR asked_at < $1))
UNION ALL SELECT 'configuration', id FROM config_pushes WHERE ended_at IS NULL
UNION ALL SELECT 'poll', id::text FROM qr_polls WHERE due_at IS NOT NULL AND asked_at < $1
"""
_BESIDE: Mapping[str, Callable[..., Awaitable[None]]] = {
    "brewer": coffee.break_it, "printer": printers.break_it, "coffee": coffee.drink,
    "till": receipts.refuse,
}  # fmt: skip


class NotSettledError(AssertionError):
    """Something stayed open long after the weather had cleared."""


class Storm:
    """`await storm.rage(events)`, then `await storm.settle()`."""

    def __init__(self, town: Town, chronicle: Chronicle) -> None:
        self.town = town
        self.chronicle = chronicle
        self.paid: list[str] = []
        self.servers = Servers(town, chronicle.charges)
        self.people = People(town, chronicle)
        self._doing: list[asyncio.Task[None]] = []
        town.died = lambda name: chronicle.struck(EVERYONE, f"{name} died at a commit or a send")

    async def rage(self, events: list[Event]) -> None:
        """Let everything happen at its time; a slow customer holds nobody up."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for event in events:
            await asyncio.sleep(max(0.0, began + event.at_s - loop.time()))
            task = asyncio.create_task(self._happen(event))
            self._doing.append(task)
        self._clear_processes()
        await asyncio.gather(*self._doing)
        await self.people.close()
        await self._clear_weather()

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """A computer that stands still is a disturbance too: windows end while nobody runs."""
        watch = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watch.cancel()

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(LOOK_S)
            if loop.time() - before > LOOK_S + STALL_S:
                self.chronicle.struck(EVERYONE, "the computer stood still")

    async def _happen(self, event: Event) -> None:
        match event.what:
            case "kill" | "stop" | "go_on":
                self._strike(event)
            case "build":
                await builds.roll_out_at_last(self.town, self.chronicle)
            case _:
                with contextlib.suppress(*AWAY):
                    await self._call(event)

    def _strike(self, event: Event) -> None:
        name, what = event.whom, f"{event.what} {event.whom}"
        match event.what:
            case "kill":
                fault = event.more.get("fault", "")
                if name in self.town.parts:
                    self.town.parts[name].fault = fault
                if fault:
                    self.chronicle.counts[fault.rsplit(":", 1)[0] + f" {name}"] += 1
                self.chronicle.struck(EVERYONE, what)
                self.town.kill(name)
            case "stop":
                self.chronicle.began(EVERYONE, what)
                self.town.stop(name)
            case _:
                self.town.go_on(name)
                self.chronicle.ended(EVERYONE, f"stop {name}")

    async def _call(self, event: Event) -> None:
        match event.what:
            case "scan":
                await self.scan(qr_code_id=self.town.world.qr_codes[event.whom], **event.more)
            case "twice":
                for _ in range(2):
                    await self.scan(qr_code_id=self.town.world.qr_codes[event.whom])
            case "foreign":
                await self._foreign(event.whom, event.more)
            case "charge":
                self.chronicle.counts[f"charge {event.more['gateway']}"] += 1
                await self.servers.charge(event.whom, event.more)
            case "click":
                await self.people.click(event.whom, event.more)
            case "odd":
                await self._odd(event.whom, event.more)
            case "place":
                await self._place(event.whom, event.more)
            case "weather":
                self._note_weather(event.more)
                await self.town.ask("POST", "/weather", event.more)
            case "balance":
                await self._fill(self.town.accounts[MERCHANT_OF[event.whom]], **event.more)
            case "contradict":
                await self._take_back(event.whom)
            case "flood":
                await self._flood(event.whom)
            case "fault":
                await self._break(event.whom, event.more)
            case "refund":
                await self._refund(event.more)
            case "read_only":
                if event.more["on"]:
                    await self._read_only(on=True)
                else:  # PostgreSQL may be away just then, and nothing could be written for ever
                    await until(self._writable, SETTLED_WITHIN_S)
            case "plan":
                await self._change_planogram(event.whom)
            case "refill":
                await stock.refill(self.town, self.chronicle, event.whom, **event.more)
            case "visit":
                await counter.visit(self.town, self.chronicle, event.more)
            case walk_ins.KIND:
                await walk_ins.serve(self.people, event.more)
            case other:
                await _BESIDE[other](self.town, self.chronicle, **event.more)

    async def _foreign(self, code: str, more: dict[str, Any]) -> None:
        """Money of somebody else's at the same account."""
        account = self.town.accounts[MERCHANT_OF[code]]
        self.chronicle.foreign.add(await self.scan(account_id=account, foreign=True, **more))

    async def _change_planogram(self, code: str) -> None:
        """The products of two slots change places. What is paid and not out yet was bought under
        the plan before."""
        merchant = self.town.world.known.merchants[MERCHANT_OF[code]]
        editor, slots = Editor(merchant, "storm"), ("A2", "A3")
        before = await config.read(self.town.context, merchant, code)
        skus = {slot.slot: slot.sku for slot in before.slots}
        swapped = tuple(
            SlotChange(slot=slot, sku=skus[other])
            for slot, other in zip(slots, slots[::-1], strict=True)
        )
        await config.change(
            self.town.context, editor, code, ConfigChange(slots=swapped, codes="keep")
        )
        self.chronicle.counts["planogram changed"] += 1

    async def _odd(self, merchant: str, more: dict[str, Any]) -> None:
        """What others do with the same account is told to us, too."""
        account = account_of(self.town, more["gateway"], merchant)
        wanted = {"party": more["gateway"], "account_id": account, "number": more["number"]}
        await self.town.ask("POST", "/odd", wanted)
        self.chronicle.counts[f"odd {more['gateway']}"] += 1

    async def scan(self, **wanted: Any) -> str:
        reference = str((await self.town.ask("POST", "/razorpay/scan", wanted))["reference"])
        self.chronicle.counts["payment"] += 1
        self.paid.append(reference)
        return reference

    async def _place(self, code: str, more: dict[str, Any]) -> None:
        """An order from the page: tapped twice; paid never, once or twice, in time or too late.
        Who pays twice has changed the way: once by the link that was left, once by the code."""
        form = {"slot": more["slot"], "key": token()}
        url = f"{self.town.web_url}/q/{code}"
        answers = [await self.town.http.post(url, data=form) for _ in range(2)]
        places = {answer.headers.get("location") for answer in answers if answer.is_redirect}
        if len(places) > 1:
            raise AssertionError(f"a double tap placed two orders: {places}")
        for link in places:
            left = await self._link_of(str(link), code) if more["times"] == 2 else None
            for _ in range(2):
                await self.ask_for_code(str(link))
            qr_code_id = await self.qr_of(str(link))
            await asyncio.sleep(more["after_s"])
            if left is not None:
                self.chronicle.counts["paid in a way that was left"] += 1
                await self.scan(payment_link_id=left, late=True)
            for _ in range(more["times"] - (left is not None) if qr_code_id else 0):
                await self.scan(qr_code_id=qr_code_id, late=True, outcome=more["outcome"])

    async def _link_of(self, link: str, code: str) -> str | None:
        """The gateway's id of a link that an order's customer chose; None: it was not made yet."""
        (way,) = await self.town.rows(
            "SELECT w.account_id FROM ways_to_pay w JOIN gateway_accounts a ON a.id = w.account_id"
            " WHERE w.outlet_id = $1 AND w.way = 'link' AND a.gateway = 'razorpay'",
            code,
        )
        page = f"{self.town.web_url}{link.split('?')[0]}"
        tap = {"way": f"link-{way['account_id'].hex}"}
        await self.town.http.post(f"{page}/pay", data=tap)
        rows = await self.town.rows(
            "SELECT a.reference FROM orders o JOIN payments p ON p.order_id = o.id"
            " JOIN attempts a ON a.payment_id = p.id WHERE o.token = $1 AND a.way = 'link'",
            page.rpartition("/")[2],
        )
        return rows[0]["reference"] if rows else None

    async def ask_for_code(self, link: str) -> None:
        """The step to the code: the tap of a customer who is about to pay."""
        page = f"{self.town.web_url}{link.split('?')[0]}"
        await self.town.http.post(f"{page}/pay", data={"way": "code"})

    async def qr_of(self, link: str) -> str | None:
        """The gateway's id of the code that an order's page shows."""
        order_token = link.rsplit("/", 1)[1].split("?")[0]
        rows = await self.town.rows(
            "SELECT q.qr_code_id FROM orders o JOIN payments p ON p.order_id = o.id"
            " JOIN qr_codes q ON q.payment_id = p.id WHERE o.token = $1",
            order_token,
        )
        return rows[0]["qr_code_id"] if rows else None

    def _note_weather(self, wanted: dict[str, Any]) -> None:
        for part in wanted.values():
            self.chronicle.counts.update(name for name, value in part.items() if value)

    async def _break(self, code: str, wanted: dict[str, Any]) -> None:
        """A fault is written down before it is put in, and its end after it was taken out."""
        for name, value in wanted.items():
            if value and name in ("power_cut_at", "wipe_journal"):
                # It strikes at the next vend, whenever that is.
                self.chronicle.began(code, name if value is True else f"power cut {value}")
            elif value:
                self.chronicle.began(code, name)
        await self.town.ask("POST", f"/machines/{code}/fault", wanted)
        for name, value in wanted.items():
            if not value:
                self.chronicle.ended(code, name)

    async def _take_back(self, code: str) -> None:
        """Whoever has the machine's secret says of its past sales that nothing fell."""
        sold = await self.town.rows(
            "SELECT id, slot, journal_id FROM vend_units WHERE outlet_id = $1"
            " AND basis IN ('vended', 'drop_evidence') ORDER BY random() LIMIT 3", code,
        )  # fmt: skip
        evidence = {"drop": "no", "home": True, "sensor_tested": True}
        await self._publish(code, [
            {"type": "RESULT", "unit_id": str(unit["id"]), "journal_id": unit["journal_id"],
             "event_seq": random.randrange(10**6, 10**9), "slot": unit["slot"],
             "outcome": "FAILED", "failure_code": "JAM", "evidence": evidence}
            for unit in sold
        ])  # fmt: skip
        self.chronicle.counts["drop taken back"] += len(sold)

    async def _flood(self, code: str) -> None:
        await self._publish(code, [
            {"type": "PROGRESS", "unit_id": str(uuid4()), "journal_id": f"flood-{code}",
             "event_seq": number}
            for number in range(1, 301)
        ])  # fmt: skip
        self.chronicle.struck(code, "flood")

    async def _publish(self, code: str, said: list[dict[str, Any]]) -> None:
        """With the machine's own login, beside the machine."""
        host, port = self.town.broker
        secret = self.town.world.known.devices[code]
        machine = aiomqtt.Client(host, port, username=code, password=secret)
        try:
            async with asyncio.timeout(10), machine as client:
                for message in said:
                    await client.publish(
                        f"devices/{code}/status/dispense", msgspec.json.encode(message), qos=1
                    )
        except aiomqtt.MqttError:
            self.chronicle.counts["attack that found no broker"] += 1

    async def _fill(self, account_id: str, amount: int | None) -> None:
        """What the merchant has at the gateway; None is enough for everything."""
        wanted = {"account_id": account_id, "amount": amount}
        await self.town.ask("POST", "/razorpay/balance", wanted)
        self.chronicle.counts["empty balance"] += amount is not None

    async def _read_only(self, on: bool) -> None:
        """As after a failover in which our connections lead to the old primary."""
        if on:
            self.chronicle.began(EVERYONE, "read only")
        await self.town.rows(READ_ONLY if on else READ_WRITE)
        await self.town.rows("SELECT pg_reload_conf()")
        if not on:
            self.chronicle.ended(EVERYONE, "read only")

    async def _writable(self) -> bool:
        await self._read_only(on=False)
        return True

    async def _refund(self, more: dict[str, Any]) -> None:
        if not self.paid:
            return
        reference = self.paid[int(more["nth"] * len(self.paid))]
        wanted = {"reference": reference, "amount": more["amount"]}
        # An answer may be lost and the refund made: what was asked for counts as possible.
        asked = self.chronicle.by_hand.get(reference, 0) + (more["amount"] or 10**9)
        self.chronicle.by_hand[reference] = asked
        await self.town.ask("POST", "/razorpay/refund", wanted)
        self.chronicle.counts["refund by hand"] += 1

    # After the storm

    def _clear_processes(self) -> None:
        for name in (*self.town.parts, *SERVERS):
            if name not in SERVERS:
                self.town.parts[name].fault = ""
            self.town.go_on(name)
            self.chronicle.ended(EVERYONE, f"stop {name}")

    async def _clear_weather(self) -> None:
        """Everything mended; a process that still waits to die is started afresh."""
        for part in self.town.parts.values():
            if part.armed:
                part.kill()
        await until(self._is_clear, SETTLED_WITHIN_S)
        self.chronicle.all_over()

    async def _is_clear(self) -> bool:
        await self.town.ask("POST", "/weather", CALM)
        await self._read_only(on=False)
        for account_id in self.town.accounts.values():
            await self._fill(account_id, None)
        for machine in DEMO_MACHINES:
            await self.town.ask("POST", f"/machines/{machine.code}/fault", MENDED)
        for gateway in receipts.GATEWAYS:
            await receipts.refuse(self.town, self.chronicle, gateway, [])
        mended = f"/tmetr/devices/{COFFEE.device}/fault"
        await self.town.ask("POST", mended, coffee.MENDED)
        return await self.town.machines_are_online()

    async def settle(self) -> None:
        """Wait until nothing is open. Raises NotSettledError, naming what is."""
        loop = asyncio.get_running_loop()
        until = loop.time() + SETTLED_WITHIN_S
        since = (await self.town.rows("SELECT clock_timestamp() AS now"))[0]["now"]
        while True:
            still = await self._still_open(since)
            if not still:
                await self._nothing_is_switched_off()
                return
            if loop.time() > until:
                raise NotSettledError("\n".join(still))
            await asyncio.sleep(LOOK_S)

    async def _nothing_is_switched_off(self) -> None:
        """A webhook that we refuse for long makes a gateway tell us nothing any more."""
        for gateway in TILLS:
            for one in await self.town.ask("GET", f"/{gateway}/deliveries?limit=10000"):
                if one["state"] in ("expired", "disabled"):
                    raise AssertionError(f"{gateway} turned webhooks off at {one}")

    async def _still_open(self, since: Any) -> list[str]:
        try:
            still = [f"{row['what']} {row['id']}" for row in await self.town.rows(_OPEN, since)]
            deliveries = [
                delivery
                for gateway in TILLS
                for delivery in await self.town.ask("GET", f"/{gateway}/deliveries?limit=10000")
            ]
            still += await self._unknown()
            still += await builds.under_way(self.town)
        except AWAY as error:
            return [f"away: {error!r}"]
        still += [f"delivery {d['event']}" for d in deliveries if d["state"] == "pending"]
        return still + [f"machine {code}" for code in self._busy()]

    async def _unknown(self) -> list[str]:
        """Payers have paid, and we do not know it yet: no webhook came, and a look is due."""
        books = await self.town.ask("GET", "/books")
        known = {
            row["gateway_payment_id"]
            for row in await self.town.rows("SELECT gateway_payment_id FROM captures")
        }
        rows = charged(books, self.chronicle)
        return [
            f"charge {name}" for name, row in rows.items() if row["captured"] and name not in known
        ]

    def _busy(self) -> list[str]:
        busy = []
        for machine in DEMO_MACHINES:
            path = self.town.machines / machine.code / "state.json"
            state = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
            if state["step"] != "idle":
                busy.append(machine.code)
        return busy
