"""The URLs of the console for the engineer, one line each, with what each needs: a permission, and
whether the proof has to be fresh."""

from litestar import get, post
from litestar.types import ControllerRouterHandler

from coinslot.console.account import AccountPages
from coinslot.console.frame import Frame
from coinslot.console.gateways import GatewayPages
from coinslot.console.keys import KeyPages
from coinslot.console.selling import SellingPages
from coinslot.console.settings import SettingsPages
from coinslot.console.webhooks import WebhookPages
from coinslot.events.webhooks.signing import HookRules
from coinslot.pages.access import Access


def engineer_routes(
    access: Access, frame: Frame, hooks: HookRules
) -> list[ControllerRouterHandler]:
    """Gateways, keys, webhooks, settings, and one's own account."""
    return [
        *_gateways(access, frame), *_keys(access, frame), *_webhooks(access, frame, hooks),
        *_account(access, frame), *_settings(access, frame),
    ]  # fmt: skip


def _settings(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, selling, place = SettingsPages(frame), SellingPages(frame), "/settings"
    look, write = [access.may("merchant:write")], [access.may("merchant:write", fresh=True)]
    return [
        get(f"{place}/business", guards=look)(pages.business),
        post(f"{place}/business", guards=write, status_code=200)(pages.change),
        post(f"{place}/rules", guards=write, status_code=200)(pages.set_rules),
        get(f"{place}/selling", guards=look)(selling.selling),
        post(f"{place}/selling", guards=write, status_code=200)(selling.set_selling),
        get(f"{place}/windows", guards=look)(selling.windows),
        post(f"{place}/windows/{{machine:str}}", guards=write, status_code=200)(
            selling.set_windows
        ),
    ]


def _account(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    """About oneself: no role is needed."""
    pages, own, fresh = AccountPages(frame), [access.may()], [access.may(fresh=True)]
    factors = "/account/factors"
    return [
        post(f"{factors}/totp", guards=fresh, status_code=200)(pages.begin_app),
        post(f"{factors}/totp/{{factor:uuid}}", guards=own, status_code=200)(pages.confirm_app),
        post(f"{factors}/passkey", guards=fresh, status_code=200)(pages.begin_passkey),
        post(f"{factors}/passkey/confirm", guards=fresh, status_code=200)(pages.confirm_passkey),
        post(f"{factors}/{{factor:uuid}}/remove", guards=fresh, status_code=200)(pages.remove),
        post("/account/recovery-codes", guards=fresh, status_code=200)(pages.renew_codes),
        post("/account/password", guards=fresh, status_code=200)(pages.change_password),
    ]


def _keys(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    pages, one = KeyPages(frame), "/keys/{api_key:uuid}"
    look, write = [access.may("keys:write")], [access.may("keys:write", fresh=True)]
    return [
        get("/keys", guards=look)(pages.all),
        post("/keys", guards=write, status_code=200)(pages.make),
        post(f"{one}/rotate", guards=write, status_code=200)(pages.rotate),
        post(f"{one}/revoke", guards=write, status_code=200)(pages.revoke),
    ]


def _webhooks(access: Access, frame: Frame, hooks: HookRules) -> list[ControllerRouterHandler]:
    pages, one = WebhookPages(frame, hooks), "/webhooks/{endpoint:uuid}"
    look, write = [access.may("webhooks:write")], [access.may("webhooks:write", fresh=True)]
    sent = "/webhooks/deliveries/{delivery:uuid}"
    return [
        get("/webhooks", guards=look)(pages.all),
        post("/webhooks", guards=write, status_code=200)(pages.add),
        get(one, guards=look)(pages.one),
        post(one, guards=write, status_code=200)(pages.change),
        post(f"{one}/rotate", guards=write, status_code=200)(pages.rotate),
        post(f"{one}/remove", guards=write, status_code=200)(pages.remove),
        post(f"{one}/test", guards=look, status_code=200)(pages.test),
        post(f"{one}/redeliver-failed", guards=look, status_code=200)(pages.redeliver_failed),
        get(sent, guards=look)(pages.delivery),
        post(sent, guards=look, status_code=200)(pages.redeliver),
    ]


def _gateways(access: Access, frame: Frame) -> list[ControllerRouterHandler]:
    """Forms into which secrets are typed are shown after a fresh proof: none is typed in vain."""
    pages, one = GatewayPages(frame), "/gateways/{account:uuid}"
    look, write = [access.may("gateways:write")], [access.may("gateways:write", fresh=True)]
    return [
        get("/gateways", guards=look)(pages.all),
        get("/gateways/new/{gateway:str}", guards=write)(pages.blank),
        post("/gateways/new/{gateway:str}", guards=write, status_code=200)(pages.add),
        get(one, guards=look)(pages.one),
        get(f"{one}/change", guards=write)(pages.edit),
        post(f"{one}/change", guards=write, status_code=200)(pages.change),
        post(f"{one}/test", guards=look, status_code=200)(pages.test),
        post(f"{one}/enable", guards=write, status_code=200)(pages.enable),
        post(f"{one}/end-former", guards=write, status_code=200)(pages.end_former),
    ]
