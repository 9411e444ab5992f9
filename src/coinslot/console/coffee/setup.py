"""What is done where nobody knows whether a cup came, and the accounts at vendors."""

from litestar import Response
from litestar.response import Redirect
from msgspec.structs import replace

from coinslot.channels.tmetr import Settings
from coinslot.coffee import management
from coinslot.coffee.rules import Rule, Rules, save_rules
from coinslot.coffee.vendors import VendorAccount, kept_settings, save_vendor_account
from coinslot.console import forms
from coinslot.console.coffee.parts import CoffeePages, act_of
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, Form
from coinslot.console.uploads import FieldError
from coinslot.kit.secrets import Secret
from coinslot.pages.access import signed_in
from coinslot.pages.rendering import AnyRequest
from coinslot.people.audit_log import record
from coinslot.people.sessions import SignedIn


class CoffeeSetupPages(CoffeePages):
    """Rules and accounts."""

    async def setup(self, request: AnyRequest) -> Response[str]:
        return await self._setup(request)

    async def rules(self, request: AnyRequest) -> Response[str] | Redirect:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            rules = _rules(form)
            async with self._context.db.as_merchant(merchant_of(who)) as conn:
                await save_rules(conn, merchant_of(who), rules)
                told = {"denied": rules.denied.value, "unclear": rules.unclear.value}
                act = act_of("coffee.rules_set", who, "", told)
                await record(conn, who.actor, act, self._context.now())
            return Done(to=self._frame.to(request, "coffee", "setup", done="saved"))

        return await self.worked(request, form, work, self._setup)

    async def account(self, request: AnyRequest) -> Response[str] | Redirect:
        """A new one, or another address or token for the one of this name; what else it has been
        set up with, such as a broker, stays."""
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            name, host = form.one("name", 40), form.one("host", 200)
            if not name or not host.startswith(("https://", "http://")):
                raise FieldError("problem_coffee_account")
            merchant, token = merchant_of(who), Secret(form.one("secret-token", 4000))
            async with self._context.db.as_merchant(merchant) as conn:
                known = await kept_settings(conn, self._context.vault, name)
                settings = (
                    replace(known, host=host, token=token)
                    if known
                    else Settings(host=host, token=token)
                )
                account = VendorAccount(merchant_id=merchant, slug=name, settings=settings)
                await save_vendor_account(conn, self._context.vault, self._context.clock, account)
                act = act_of("coffee.account_set", who, name, {"host": host})
                await record(conn, who.actor, act, self._context.now())
            return Done(to=self._frame.to(request, "coffee", "setup", done="saved"))

        return await self.worked(request, form, work, self._setup)

    async def _setup(
        self, request: AnyRequest, *, problem: FieldError | None = None
    ) -> Response[str]:
        merchant = merchant_of(signed_in(request))
        return await self.page(
            request, "setup", "coffee_setup.html", problem,
            kinds=(Rule.REFUND, Rule.GOODS, Rule.PERSON),
            rules=await management.rules(self._context, merchant),
            accounts=await management.accounts(self._context, self.vendors, merchant),
            site_url=self._frame.auth.base_url,
        )  # fmt: skip


def _rules(form: Form) -> Rules:
    try:
        limits = {
            name: int(form.one(name, 6))
            for name in ("contact_limit", "browser_limit", "device_limit", "day_limit")
        }
        denied, unclear = Rule(form.one("denied")), Rule(form.one("unclear"))
    except ValueError:
        raise FieldError("problem_coffee_rules") from None
    if Rule.LIMIT in (denied, unclear) or any(
        not 0 <= limit <= 99_999 for limit in limits.values()
    ):
        raise FieldError("problem_coffee_rules")
    return Rules(denied=denied, unclear=unclear, **limits)
