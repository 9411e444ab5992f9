"""What holds of Socket.IO besides the contract: handshake, replacement, the simple dialect."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Litestar, asgi
from litestar.types import Receive, Scope, Send

from coinslot.channels.base import Guarantee, Sending, guarantee
from coinslot.channels.messages import Dispense, DoneStatus, MachineDone
from coinslot.channels.socketio import SocketIo
from tests.channels.machines import RefusedError, SocketIoMachine, result
from tests.channels.rigs import SocketIoRig
from tests.channels.test_contract import GO, heard, soon

UNIT = UUID("0192f0c1-2345-7abc-8def-0123456789ab")


async def connected(rig: SocketIoRig, outlet: str = "M01") -> SocketIoMachine:
    machine = await rig.machine(outlet)
    assert isinstance(machine, SocketIoMachine)
    assert await soon(rig.handler.greeted.get()) == outlet
    return machine


async def test_a_machine_that_is_not_connected_is_unreachable(socketio: SocketIoRig) -> None:
    assert await socketio.send("M01", GO) is Sending.UNREACHABLE
    machine = await connected(socketio)
    assert socketio.channel.reaches("M01")
    assert not socketio.channel.reaches("M02")
    assert await socketio.send("M02", GO) is Sending.UNREACHABLE
    await machine.close()
    second = await connected(socketio, "M02")  # its queue comes after the first's end
    await second.say(result(1))
    await heard(socketio.handler)
    assert await socketio.send("M01", GO) is Sending.UNREACHABLE


async def test_a_second_connection_of_a_machine_replaces_the_first(socketio: SocketIoRig) -> None:
    first = await connected(socketio)
    second = await connected(socketio)
    await soon(first.gone.wait())
    assert await socketio.send("M01", GO) is Sending.SENT
    assert await soon(second.received.get()) == GO
    assert first.received.empty()


async def test_a_machine_that_is_hung_up_has_to_show_its_secret_again(
    socketio: SocketIoRig,
) -> None:
    machine = await connected(socketio)
    other = await connected(socketio, "M02")
    assert sorted(socketio.socketio.connected()) == ["M01", "M02"]
    await socketio.socketio.hang_up("M01")
    await socketio.socketio.hang_up("M03")
    await soon(machine.gone.wait())
    assert socketio.socketio.connected() == ["M02"]
    await other.say(result(1))
    assert await heard(socketio.handler) == ("M02", 1)


async def test_long_polling_serves_as_well(socketio: SocketIoRig) -> None:
    machine = socketio.make("M01", "secret-of-M01")
    machine.transports = ["polling"]
    socketio.machines.append(machine)
    await soon(machine.connect())
    await machine.say(result(1))
    assert await heard(socketio.handler) == ("M01", 1)
    await socketio.send("M01", GO)
    assert await soon(machine.received.get()) == GO


@pytest.mark.parametrize(
    "auth",
    [None, "M01", [], {}, {"machineId": "M01"}, {"machineId": ["M01"], "secret": "x"},
     {"machineId": "M01", "secret": None}, {"machineId": "M" * 65, "secret": "x"},
     {"machineId": "M01|", "secret": "secret-of-M01|"}],
)  # fmt: skip
async def test_a_handshake_without_a_name_and_a_secret_is_refused(
    socketio: SocketIoRig, auth: Any
) -> None:
    machine = socketio.make("M01", "")
    socketio.machines.append(machine)
    machine.auth = auth
    with pytest.raises(RefusedError):
        await soon(machine.connect())
    await connected(socketio)


async def test_nobody_is_admitted_while_nobody_can_tell(socketio: SocketIoRig) -> None:
    socketio.handler.away = True
    with pytest.raises(RefusedError):
        await soon(socketio.machine("M01"))
    socketio.handler.away = False
    await connected(socketio)


async def test_the_simple_dialect_takes_a_command_and_says_done(socketio: SocketIoRig) -> None:
    machine = await connected(socketio)
    command = Dispense(
        order_id="K7F2", unit_id=UNIT, machine_id="M01", slot="A1", amount=4000, currency="INR"
    )
    assert await socketio.edge.send("M01", "socketio", command) is Sending.SENT
    assert await soon(machine.dispenses.get()) == {
        "orderId": "K7F2",
        "unitId": str(UNIT),
        "machineId": "M01",
        "slot": "A1",
        "amount": 4000,
        "currency": "INR",
    }
    await machine.emit("machine:done", {"orderId": "K7F2", "status": "MAYBE"})
    await machine.emit("machine:done", "K7F2")
    await machine.emit("machine:done")
    failed = {"orderId": "K7F2", "status": "FAILED", "failureCode": "jam", "type": "RESULT"}
    await machine.emit("machine:done", failed)
    done = MachineDone(order_id="K7F2", status=DoneStatus.FAILED, failure_code="jam")
    assert await soon(socketio.handler.done.get()) == ("M01", done)
    assert socketio.edge.counts["socketio unreadable"] == 3


@pytest.mark.parametrize(
    "packet",
    [
        '2["connect",{},{"machineId":"M02","secret":"secret-of-M02"}]',
        '2["disconnect"]',
        '2["disconnect","x","y"]',
        '2["vend"]',
        '2["vend",1,2,3]',
        '2[]',
        '2{"a":1}',
        '2["nosuch",{}]',
        "2[[[[[[[[",
        '2["vend",' + "[" * 3_000 + "]" * 3_000 + "]",
        '2["vend",' + "[" * 5_000,
        '0{"machineId":"M02","secret":"wrong"}',
        '51-["vend",{"_placeholder":true,"num":0}]',
        '52-["vend",{"_placeholder":true,"num":7}]',
        "59999999999-[]",
        "9",
        "",
        "4",
        '3["x"]',
        "2/other,[]",
    ],
)  # fmt: skip
async def test_a_broken_packet_harms_nobody_else(socketio: SocketIoRig, packet: str) -> None:
    bystander, machine = await connected(socketio, "M03"), await connected(socketio, "M01")
    await machine.raw(packet)
    await bystander.say(result(1))
    assert await heard(socketio.handler) == ("M03", 1)
    assert await socketio.send("M03", GO) is Sending.SENT
    assert await soon(bystander.received.get()) == GO
    await machine.close()  # one that was hung up on would come back, and take the place of the next
    again = await connected(socketio, "M01")
    await again.say(result(2))
    assert await heard(socketio.handler) == ("M01", 2)


async def test_it_works_where_the_web_application_mounts_it() -> None:
    rig = SocketIoRig()

    @asgi("/socket.io", is_mount=True, copy_scope=True)
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await rig.socketio.asgi(scope, receive, send)

    rig.app = Litestar([mounted], openapi_config=None)
    async with rig.running():
        for transport in ("websocket", "polling"):
            machine = rig.make("M01", "secret-of-M01")
            machine.transports = [transport]
            rig.machines.append(machine)
            await soon(machine.connect())
            await machine.say(result(1))
            assert await heard(rig.handler) == ("M01", 1)


def test_the_class_follows_from_the_dialect() -> None:
    assert guarantee(SocketIo.powers["leased"]) is Guarantee.G3
    assert guarantee(SocketIo.powers["simple"]) is Guarantee.G0


@pytest.mark.parametrize(("version", "status"), [(3, 400), (4, 200)])
async def test_the_protocol_that_the_page_names_is_spoken_and_the_older_one_refused(
    socketio: SocketIoRig, version: int, status: int
) -> None:
    url = f"http://127.0.0.1:{socketio.port}/socket.io/?EIO={version}&transport=polling"
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(url)).status_code == status
