"""`python -m bench.peers [--quick]`: signed webhooks to a handler of Django and REST framework (it
checks the signature, keeps the event, updates the order), to dj-stripe (request, event, payment)
and to `coinslot web` (also order, unit, ledger), in turns, by one loader and beside one PostgreSQL.
The peers are installed into an environment of their own."""

import argparse
import asyncio
import hmac
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Final
from uuid import UUID

import msgspec
import structlog
import uvloop
from msgspec import Struct

from bench import hose, webhooks
from bench.goods import WEBHOOK_SECRET
from bench.ground import Ground
from bench.laps import AT_ONCE, Course, take
from bench.measure import Round
from bench.parts import end_on_sigterm
from bench.serving import cpu_s, family, listens
from coinslot.db.child_server import free_port
from coinslot.kit.clock import SystemClock

_HERE: Final = Path(__file__).parent
_INSTALLED: Final = Path(sys.prefix) / "bench-peers"
_START_WITHIN_S: Final = 60.0
_ORDERS_PER_S: Final = 2_000  # that are there to be paid: more than any peer takes
_MACHINES: Final = 50
_ORDERS: Final = """
INSERT INTO shop_order (id, payment_id, status, amount, created_at, updated_at, expires_at)
SELECT gen_random_uuid(), id, 'pending', 4000, now(), now(), now() + interval '1 hour'
FROM unnest($1::text[]) AS p (id)
"""


RunIn = tuple[Path, dict[str, str]]  # the folder of the programs, and their surroundings


def _of_razorpay(payment: str, now_s: int) -> bytes:
    return webhooks.request("M00001", payment, "bench", now_s)


def _of_stripe(payment: str, now_s: int) -> bytes:
    """`payment_intent.succeeded`, signed as Stripe signs."""
    paid = {
        "id": f"pi_{payment}", "object": "payment_intent", "amount": 4000,
        "amount_received": 4000, "currency": "inr", "status": "succeeded", "customer": None,
        "created": now_s, "livemode": False, "metadata": {}, "description": "A can",
        "latest_charge": f"ch_{payment}", "payment_method_types": ["card"],
    }  # fmt: skip
    text = msgspec.json.encode(
        {
            "id": f"evt_{payment}", "object": "event", "api_version": "2024-06-20",
            "created": now_s, "data": {"object": paid}, "livemode": False,
            "pending_webhooks": 1, "request": {"id": None, "idempotency_key": None},
            "type": "payment_intent.succeeded",
        }
    )  # fmt: skip
    signed = hmac.new(WEBHOOK_SECRET.encode(), b"%d.%s" % (now_s, text), sha256).hexdigest()
    lines = (
        f"POST /stripe/webhook/{UUID(int=1)}/ HTTP/1.1", "host: 127.0.0.1",
        f"content-length: {len(text)}", "content-type: application/json",
        f"stripe-signature: t={now_s},v1={signed}",
    )  # fmt: skip
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + text


class Peer(Struct, frozen=True, kw_only=True):
    """A way to serve it; two processes, as two cores suggest."""

    name: str
    program: str
    arguments: tuple[str, ...]
    keeps_connections: bool
    shop: str = "shop"  # its module; as a program it makes the tables
    worked: str = "SELECT count(*) FROM shop_order WHERE status = 'paid'"
    request: Callable[[str, int], bytes] = _of_razorpay  # of a payment's id, at a time


_THREADS: Final = (
    "--workers", "2", "--worker-class", "gthread", "--threads", "8", "--keep-alive", "75",
    "--log-level", "error",
)  # fmt: skip
# Sync workers of gunicorn close after each answer: threads keep the loader's connections open.
PEERS: Final = (
    Peer(
        name="Django, gunicorn with threads", program="gunicorn",
        arguments=(*_THREADS, "shop:application"),
        keeps_connections=True,
    ),
    Peer(
        name="Django, gunicorn without", program="gunicorn",
        arguments=("--workers", "4", "--log-level", "error", "shop:application"),
        keeps_connections=True,
    ),
    Peer(
        name="Django, uvicorn", program="uvicorn",
        arguments=("--workers", "2", "--log-level", "error", "--lifespan", "off", "shop:asgi"),
        keeps_connections=False,
    ),
    Peer(
        name="dj-stripe, gunicorn with threads", program="gunicorn",
        arguments=(*_THREADS, "stripe_shop:application"),
        keeps_connections=True, shop="stripe_shop", request=_of_stripe,
        worked="SELECT count(*) FROM djstripe_webhookeventtrigger WHERE processed",
    ),
)  # fmt: skip


class Took(Struct, frozen=True):
    """One round: its pace, and processor time of one webhook."""

    round: Round
    server_ms: float
    postgres_ms: float

    @property
    def ms(self) -> float:
        return self.server_ms + self.postgres_ms


def installed() -> Path:
    """Where the peers' programs are; installed the first time."""
    wanted, mark = _HERE / "requirements.txt", _INSTALLED / "requirements.txt"
    if not mark.exists() or mark.read_bytes() != wanted.read_bytes():
        run = (sys.executable, "-m", "venv", "--clear", str(_INSTALLED))
        subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
        pip = (str(_INSTALLED / "bin" / "pip"), "install", "-qq", "--requirement", str(wanted))
        subprocess.run(pip, check=True, stdout=sys.stderr)
        shutil.copy(wanted, mark)
    return _INSTALLED / "bin"


async def peer_round(ground: Ground, peer: Peer, programs: Path, seconds: float) -> Took:
    """On a database of its own, with orders that wait for their payment."""
    place = await ground.empty("peer")
    env = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(_HERE), "PEER_DATABASE": "|".join(place),
        "PEER_SECRET": WEBHOOK_SECRET, "PEER_KEEPS_CONNECTIONS": str(int(peer.keeps_connections)),
    }  # fmt: skip
    try:
        made = await asyncio.create_subprocess_exec(
            str(programs / "python"), str(_HERE / f"{peer.shop}.py"), env=env
        )
        if await made.wait():
            raise RuntimeError("the peer's tables were not made")
        payments = [webhooks.fresh_payment() for _ in range(int(_ORDERS_PER_S * (seconds + 1)))]
        if peer.shop == "shop":
            await ground.one_in("peer", _ORDERS, payments)
        await ground.settle()
        return await _served(ground, peer, (programs, env), iter(payments), seconds)
    finally:
        await ground.drop_named("peer")


async def _served(
    ground: Ground, peer: Peer, run_in: RunIn, payments: Iterator[str], seconds: float
) -> Took:
    programs, env = run_in
    port, now_s = free_port(), int(SystemClock().now().timestamp())
    bound = ("--bind", f"127.0.0.1:{port}") if peer.program == "gunicorn" else ("--port", str(port))
    server = await asyncio.create_subprocess_exec(
        str(programs / peer.program), *bound, *peer.arguments, env=env
    )

    def fresh() -> bytes:
        return peer.request(next(payments), now_s)

    try:
        await listens(port, _START_WITHIN_S)
        await hose.saturate(port, fresh, AT_ONCE, 0.2)  # what it imports late, and its connections
        before = await ground.one_in("peer", peer.worked)
        ours, theirs = cpu_s(family(server.pid)), cpu_s(family(ground.pid))
        done = await hose.saturate(port, fresh, AT_ONCE, seconds)
        server_s, postgres_s = cpu_s(family(server.pid)) - ours, cpu_s(family(ground.pid)) - theirs
        after = await ground.one_in("peer", peer.worked)
        assert isinstance(before, int)
        assert isinstance(after, int)
        each = 1000 / (after - before)
        return Took(done, server_s * each, postgres_s * each)
    finally:
        server.terminate()
        await server.wait()


async def our_round(ground: Ground, folder: Path, seconds: float) -> Took:
    codes = [f"M{n:05}" for n in range(_MACHINES)]
    base = await ground.make("ours", dict.fromkeys(codes, "mqtt"))
    try:
        course = Course(existing=0, base=base, machines=codes, seconds=seconds)
        done, spent = await take(ground, course, folder / "serving")
        return Took(done, spent.coinslot_ms, spent.postgres_ms)
    finally:
        await ground.drop(base)


def table(found: dict[str, list[Took]]) -> str:
    """Against ours, which stands first."""
    ours = median(took.ms for took in next(iter(found.values())))
    lines = [
        "| | webhooks/s | p50 ms | p99 ms | server ms | PostgreSQL ms | together ms | of ours |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, rounds in found.items():
        cells = [
            f"{median(took.round.per_s for took in rounds):.0f}",
            f"{median(took.round.p50_ms for took in rounds):.1f}",
            f"{median(took.round.p99_ms for took in rounds):.1f}",
            f"{median(took.server_ms for took in rounds):.2f}",
            f"{median(took.postgres_ms for took in rounds):.2f}",
            f"{median(took.ms for took in rounds):.2f}",
            f"{median(took.ms for took in rounds) / ours:.2f}",
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


async def run(folder: Path, rounds: int, seconds: float) -> str:
    programs = await asyncio.to_thread(installed)
    ground = Ground(folder)
    await ground.open()
    found: dict[str, list[Took]] = {"Coinslot": [], **{peer.name: [] for peer in PEERS}}
    try:
        for _ in range(rounds):
            found["Coinslot"].append(await our_round(ground, folder, seconds))
            for peer in PEERS:
                found[peer.name].append(await peer_round(ground, peer, programs, seconds))
    finally:
        await ground.close()
    return (
        f"Processor time of one webhook of 1.5 KB, {AT_ONCE} at a time, median of {rounds} rounds."
        " Django's handler\nchecks the signature, keeps the event and updates an order that is"
        " there; dj-stripe keeps the\nrequest, the event and the payment, and its question to"
        " Stripe is answered in its own process; ours\nalso makes the order, its unit and the"
        " ledger.\n\n" + table(found)
    )


def main() -> None:
    end_on_sigterm()
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--quick", action="store_true", help="one round of a second")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    folder = Path(tempfile.mkdtemp(prefix="coinslot-peers-"))
    folder.chmod(0o755)  # the server runs as another user
    rounds, seconds = (1, 1.0) if given.quick else (given.rounds, given.seconds)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            print(runner.run(run(folder, rounds, seconds)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
