"""Builds and keys at the console: an admin with a fresh proof brings what `coinslot-sign` wrote."""

import base64
import json
from pathlib import Path

import httpx
import pytest

from coinslot.rollouts import firmware
from coinslot.rollouts.manifest import sign
from tests.console.conftest import OURS, Browser, form
from tests.console.conftest import browser as browser
from tests.people.conftest import Staffed
from tests.rollouts.fleet import KEY, PUBLIC, Fleet, manifest_of

PAGE = "/console/firmware"


@pytest.fixture
def fleet(staffed: Staffed, tmp_path: Path) -> Fleet:
    return Fleet(staffed.stage, tmp_path)


def signed(image: bytes, carried: bytes | None = None) -> bytes:
    """As `coinslot-sign build` writes it; `carried`: another image than was signed."""
    text, signature = sign(KEY, manifest_of(image))
    inside = base64.b64encode(image if carried is None else carried).decode()
    return json.dumps({"manifest": text, "signature": signature.hex(), "image": inside}).encode()


async def sent(browser: Browser, file: bytes) -> httpx.Response:
    page = await browser.look(PAGE)
    return await browser.client.post(
        PAGE, data=form(page, PAGE), files={"file": ("build.json", file)}, headers=OURS
    )


async def test_a_key_is_registered_and_its_build_is_brought_and_the_key_retired(
    fleet: Fleet, browser: Browser
) -> None:
    await browser.sign_in("asha")
    page = await browser.look(PAGE)
    assert "multipart" not in page.text, "without a key no build could be taken"
    keys = f"{PAGE}/keys"
    wrong = await browser.press(page, keys, {"name": "laptop", "public_key": "abc"})
    assert wrong.status_code == 422
    fields = {"name": "laptop", "public_key": PUBLIC.hex().upper(), "key": "k" * 20}
    assert (await browser.press(page, keys, fields)).status_code == 303
    context, merchant = fleet.stage.context, fleet.stage.merchant
    (key,) = await firmware.keys(context, merchant)
    for file in (b"", b"{}", b"\x00", signed(b"good code", carried=b"evil code")):
        assert (await sent(browser, file)).status_code == 422
    assert await firmware.builds(context, merchant) == []
    answer = await sent(browser, signed(b"good code"))
    assert answer.status_code == 303, answer.text
    assert "The build is here" in (await browser.look(answer.headers["location"])).text
    assert len(await firmware.builds(context, merchant)) == 1
    retire = f"{keys}/{key.id}/retire"
    assert (await browser.press(await browser.look(PAGE), retire)).status_code == 303
    (key,) = await firmware.keys(context, merchant)
    assert key.retired_at is not None


async def test_an_old_proof_brings_no_build_and_an_operator_none_at_all(
    fleet: Fleet, browser: Browser
) -> None:
    await browser.sign_in("asha")
    await fleet.upload()
    page = await browser.look(PAGE)
    fleet.stage.later(3600)
    answer = await browser.client.post(
        PAGE, data=form(page, PAGE), files={"file": ("b.json", signed(b"new"))}, headers=OURS
    )
    assert "The build is here" not in answer.text
    assert len(await firmware.builds(fleet.stage.context, fleet.stage.merchant)) == 1
    await browser.sign_in("boris")
    assert (await browser.look(PAGE)).status_code == 403
    assert PAGE not in (await browser.look("/console/rollouts")).text
