"""A device's secret: given out once, read from its QR code, replaced while the machine sells."""

import asyncio
import base64
import hashlib
import io
import re
from xml.etree import ElementTree

import msgspec
import pytest
from PIL import Image, ImageDraw

from coinslot.app.machine_bridge import MachineBridge
from coinslot.app.resources import broker_users
from coinslot.channels import messages as wire
from coinslot.channels.messages import Lease, sign_go
from coinslot.fleet.config import Editor, OutOfServiceError
from coinslot.fleet.decommission import UnitsOpenError, decommission
from coinslot.fleet.enrolment import DeviceAddresses, DeviceEnrolment, provision_device
from coinslot.kit import qr
from coinslot.outlets.machines import UnknownOutletError, is_device
from coinslot.rollouts import firmware
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import Stage

PIXELS, SVG = 4, "{http://www.w3.org/2000/svg}"
BROKER = DeviceAddresses(mqtt="mqtts://broker.example:8883", socketio="https://pay.example")
EMBEDDED = DeviceAddresses(mqtt="mqtt://127.0.0.1:1883", login_per_secret=True)


async def provisioned(
    stage: Stage, addresses: DeviceAddresses = EMBEDDED, *, at_once: bool = False
) -> DeviceEnrolment:
    return await provision_device(
        stage.context, Editor(stage.merchant, "asha"), "M01", addresses, at_once=at_once
    )


async def test_the_newest_key_of_the_firmware_is_in_the_code_that_a_scanner_reads(
    stage: Stage,
) -> None:
    assert (await provisioned(stage)).firmware_key is None
    editor = Editor(stage.merchant, "asha")
    for key in (b"a" * 32, b"b" * 32):
        await firmware.add_key(stage.context, editor, f"key {key[:1]!r}", key)
        stage.later(1)
    made = await provisioned(stage)
    assert made.firmware_key == "62" * 32
    assert msgspec.json.decode(scanned(made.svg()) or "")["firmware_key"] == "62" * 32
    assert msgspec.json.decode(made.file())["firmware_key"] == "62" * 32


async def logins(stage: Stage) -> list[str]:
    return [user.login for user in await broker_users(stage.context.db)]


def scanned(svg: str) -> str | None:
    """What a scanner reads from the picture: each line of the path is drawn as dark pixels."""
    root = ElementTree.fromstring(svg)
    side = int(root.attrib["viewBox"].split()[2])
    picture = Image.new("L", (side * PIXELS, side * PIXELS), 255)
    (lines,) = [p.attrib["d"] for p in root.iter(f"{SVG}path") if p.get("stroke") == "#000"]
    draw, x, y = ImageDraw.Draw(picture), 0.0, 0.0
    for move, across, down in re.findall(r"([Mmh])(-?[\d.]+)(?:[ ,]?(-?[\d.]+))?", lines):
        if move == "h":
            ends = ((x + float(across)) * PIXELS - 1, (y + 0.5) * PIXELS - 1)
            draw.rectangle((x * PIXELS, (y - 0.5) * PIXELS, *ends), fill=0)
            x += float(across)
        else:
            x, y = (x * (move == "m") + float(across), y * (move == "m") + float(down))
    kept = io.BytesIO()
    picture.save(kept, "png")
    return qr.read(kept.getvalue())


async def test_a_scanner_reads_the_whole_enrolment_from_its_code(stage: Stage) -> None:
    made = await provisioned(stage, msgspec.structs.replace(BROKER, ca=b"\x30\x82" + b"c" * 800))
    text = scanned(made.svg())
    assert text is not None
    assert msgspec.json.decode(text, type=DeviceEnrolment) == made
    assert msgspec.json.decode(made.file(), type=DeviceEnrolment) == made
    assert (made.machine, made.login, made.broker) == ("M01", "M01", "mqtts://broker.example:8883")
    assert base64.b64decode(made.ca or "") == b"\x30\x82" + b"c" * 800


async def test_a_long_certificate_is_held_by_a_code_that_mends_less(stage: Stage) -> None:
    made = await provisioned(stage, msgspec.structs.replace(BROKER, ca=b"\x30\x82" + b"c" * 1700))
    assert 2331 < len(msgspec.json.encode(made)) <= 2953
    assert msgspec.json.decode(scanned(made.svg()) or "", type=DeviceEnrolment) == made


async def test_a_certificate_that_no_code_can_hold_is_named_by_its_digest(stage: Stage) -> None:
    ca = b"\x30\x82" + b"c" * 3000
    made = await provisioned(stage, msgspec.structs.replace(BROKER, ca=ca))
    text = scanned(made.svg())
    assert text is not None
    read = msgspec.json.decode(text, type=DeviceEnrolment)
    assert (read.ca, read.ca_sha256) == (None, hashlib.sha256(ca).hexdigest())
    assert read.secret == made.secret
    assert base64.b64decode(msgspec.json.decode(made.file())["ca"]) == ca


async def test_the_secret_is_stored_encrypted_only(stage: Stage) -> None:
    made = await provisioned(stage)
    (row,) = await stage.rows("SELECT * FROM devices")
    assert made.secret not in str(row)
    assert made.secret.encode() not in row["next_secret"]


async def test_both_secrets_count_until_the_new_one_is_first_used(stage: Stage) -> None:
    made = await provisioned(stage)
    assert (made.key_id, made.login, made.replaces) == ("2", "M01.2", 1)
    bridge = MachineBridge(stage.context)
    assert await logins(stage) == ["M01", "M01.2"]
    assert await bridge.admit("M01", stage.secret)
    assert not await bridge.admit("M01", made.secret + "x")
    assert await bridge.admit("M01", stage.secret)
    assert await bridge.admit("M01", made.secret)
    assert not await bridge.admit("M01", stage.secret)
    assert await bridge.admit("M01", made.secret)
    assert await logins(stage) == ["M01.2"]


async def test_behind_a_broker_hello_says_that_the_new_secret_is_in_use(stage: Stage) -> None:
    made = await provisioned(stage)
    await said_hello(stage, "1")
    assert await logins(stage) == ["M01", "M01.2"]
    await said_hello(stage, made.key_id)
    assert await logins(stage) == ["M01.2"]
    assert await is_device(stage.context.db, "M01", stage.secret) is None


async def said_hello(stage: Stage, key_id: str | None, boot: str = "b1") -> None:
    await stage.hear(
        wire.Hello(
            journal_id="j1", boot_id=boot, mono_ms=1000, last_seq=0, key_id=key_id,
            capabilities=wire.Capabilities(journal=True, sensor=True),
        )
    )  # fmt: skip


async def test_a_go_is_signed_with_the_secret_that_the_machine_has(stage: Stage) -> None:
    made = await provisioned(stage)
    for key_id, secret in (("1", stage.secret), (made.key_id, made.secret)):
        await said_hello(stage, key_id, boot=key_id)
        await stage.sell()
        await stage.sweep("fulfillments")
        (go,) = await stage.accept(boot=key_id)
        offer = stage.offered()
        lease = Lease(
            unit_id=go.unit_id, seq=go.seq, slot=offer["slot"], boot_id=go.boot_id,
            not_after=go.not_after,
        )  # fmt: skip
        assert (go.key_id, go.hmac) == (key_id, sign_go(secret, lease))
        await stage.result(event_seq=int(key_id))


async def test_asked_for_twice_the_secret_that_nobody_used_ends(stage: Stage) -> None:
    lost, made = [await provisioned(stage) for _ in range(2)]
    assert (lost.key_id, made.key_id, made.replaces) == ("2", "3", 1)
    assert await is_device(stage.context.db, "M01", lost.secret) is None
    assert await is_device(stage.context.db, "M01", stage.secret) == stage.merchant
    await said_hello(stage, lost.key_id)  # a number is used once
    assert await logins(stage) == ["M01", "M01.3"]
    assert await is_device(stage.context.db, "M01", made.secret) == stage.merchant


async def test_of_two_who_ask_at_once_one_has_the_secret_that_counts(stage: Stage) -> None:
    both = await asyncio.gather(*(provisioned(stage) for _ in range(2)))
    assert sorted(one.key_id for one in both) == ["2", "3"]
    newest = max(both, key=lambda one: one.key_id)
    assert await is_device(stage.context.db, "M01", newest.secret) == stage.merchant


async def test_a_stolen_secret_ends_at_once_but_not_under_a_customer(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    with pytest.raises(UnitsOpenError):
        await provisioned(stage, at_once=True)
    await stage.sweep("fulfillments")
    await stage.accept()
    await stage.result(event_seq=1)
    made = await provisioned(stage, at_once=True)
    assert (made.key_id, made.replaces) == ("1", None)
    assert await is_device(stage.context.db, "M01", stage.secret) is None
    assert await is_device(stage.context.db, "M01", made.secret) == stage.merchant


async def test_a_secret_for_later_is_given_while_a_customer_waits(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    made = await provisioned(stage)
    assert await is_device(stage.context.db, "M01", stage.secret) == stage.merchant
    assert made.replaces is not None, "the one in use ends when this one is first used"


async def test_at_a_broker_of_ones_own_the_login_stays_the_machines_code(stage: Stage) -> None:
    made = await provisioned(stage, BROKER)
    assert (made.login, made.key_id) == ("M01", "2")


async def test_a_machine_on_socketio_gets_the_servers_address(stage: Stage) -> None:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE outlets SET channel = 'socketio' WHERE id = 'M01'")
    made = await provisioned(stage, BROKER)
    assert (made.server, made.broker, made.login) == ("https://pay.example", None, "M01")


async def test_nobody_gets_a_secret_for_anothers_machine_or_one_out_of_service(
    stage: Stage,
) -> None:
    chandra = (await chandras_machine(stage)).merchant_id
    with pytest.raises(UnknownOutletError):
        await provision_device(stage.context, Editor(chandra, "chandra"), "M01", EMBEDDED)
    await decommission(stage.context, Editor(stage.merchant, "asha"), "M01")
    with pytest.raises(OutOfServiceError):
        await provisioned(stage)
