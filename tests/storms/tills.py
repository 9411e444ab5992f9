"""The merchants' accounts at every gateway that collects, on our side and on the sandbox's."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from coinslot.app.demo_world import COFFEE, MERCHANTS, DemoWorld
from coinslot.app.server import RunningServer
from coinslot.gateways import drivers
from coinslot.gateways.tbank import fiscal as tbank_fiscal
from coinslot.gateways.yookassa import fiscal as yookassa_fiscal
from coinslot.kit.secrets import Secret
from coinslot.merchants.accounts import AccountName, save_account
from tests.storms.pace import GATEWAY


class Till(NamedTuple):
    """What is paid there, where its payer pays, and what he does to be declined."""

    currency: str
    door: str
    names: str  # what the door calls the reference
    declined: Mapping[str, str]


TILLS: Mapping[str, Till] = {
    "stripe": Till("INR", "/stripe/pay", "reference", {"outcome": "declined"}),
    "yookassa": Till("RUB", "/yookassa/pay", "reference", {"declined": "insufficient_funds"}),
    "tbank": Till("RUB", "/tbank/pay", "reference", {"declined": "insufficient_funds"}),
    "razorpay": Till("INR", "/razorpay/scan", "payment_link_id", {"outcome": "failed"}),
}
_TEMPO = {name: value for name, value in GATEWAY.items() if name != "qr_shortest_s"}
_THEIRS = ("127.0.0.1/32",)  # YooKassa proves its hints by address; 127.0.0.2 is a stranger's
FISCAL = COFFEE.merchant  # whose accounts in Russia have receipts made, of prepayments
_TILL = "till@example.com"


async def open_tills(server: RunningServer, world: DemoWorld, sandbox_url: str) -> None:
    """Beside what the showroom has: an account of each merchant at YooKassa and at T-Bank."""
    of_yookassa = yookassa_fiscal.Receipts(email=_TILL, vat_code=12, payment_mode="full_prepayment")
    of_tbank = tbank_fiscal.Receipts(
        email=_TILL, taxation="usn_income", tax="vat122", payment_method="full_prepayment"
    )
    for slug in MERCHANTS:
        given = {
            "yookassa": drivers()["yookassa"].Settings(
                shop_id=_account("yookassa", slug), secret_key=Secret(_secret("yookassa", slug)),
                networks=_THEIRS, base_url=f"{sandbox_url}/yookassa/v3",
                receipts=of_yookassa if slug == FISCAL else None,
            ),
            "tbank": drivers()["tbank"].Settings(
                terminal_key=_account("tbank", slug), password=Secret(_secret("tbank", slug)),
                base_url=f"{sandbox_url}/tbank/v2",
                receipts=of_tbank if slug == FISCAL else None,
            ),
        }  # fmt: skip
        merchant = world.known.merchants[slug]
        async with server.db.as_merchant(merchant) as conn:
            for gateway, settings in given.items():
                name = AccountName(merchant, gateway, slug)
                await save_account(conn, server.vault, server.clock.now(), name, settings)


def coffee_section(world: DemoWorld) -> dict[str, Any]:
    """What the emulated Tmetr is told of the coffee machine."""
    return {
        "accounts": [{"account_id": COFFEE.merchant, "token": world.tmetr(COFFEE.merchant)}],
        "devices": [{"device_id": COFFEE.device, "account_id": COFFEE.merchant}],
    }


def sections(world: DemoWorld, web_url: str) -> dict[str, Any]:
    """What the sandbox is told of them."""
    accounts: dict[str, list[dict[str, Any]]] = {
        "stripe": [world.stripe(slug) for slug in MERCHANTS],
        "yookassa": [in_russia("yookassa", slug) for slug in MERCHANTS],
        "tbank": [in_russia("tbank", slug) for slug in MERCHANTS],
    }
    return {
        gateway: {
            "accounts": [
                {**account, "webhook_url": f"{web_url}/webhooks/{gateway}/{slug}"}
                for slug, account in zip(MERCHANTS, rows, strict=True)
            ],
            "tempo": _TEMPO,
        }
        for gateway, rows in accounts.items()
    }


def in_russia(gateway: str, slug: str) -> dict[str, Any]:
    """An account at YooKassa or T-Bank, as the sandbox is told of it."""
    named = "secret_key" if gateway == "yookassa" else "password"
    known = {"account_id": _account(gateway, slug), named: _secret(gateway, slug)}
    return {**known, "receipts": slug == FISCAL}


def account_of(town: Any, gateway: str, slug: str) -> str:
    """What the gateway calls a merchant's account."""
    if gateway == "razorpay":
        return str(town.accounts[slug])
    if gateway == "stripe":
        return str(town.world.stripe(slug)["account_id"])
    return _account(gateway, slug)


def _account(gateway: str, slug: str) -> str:
    return f"shop-{slug}" if gateway == "yookassa" else f"{slug}DEMO"


def _secret(gateway: str, slug: str) -> str:
    return f"a-secret-of-{slug}-at-{gateway}"
