"""Firmware for people: its builds, and each roll-out as a wave, with the one number that decides
whether it goes on."""

from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec.structs import replace

from coinslot.console import forms
from coinslot.console.current_merchant import editor_of, merchant_of
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.kit.numbers import whole
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.sessions import SignedIn
from coinslot.rollouts import firmware, rollouts
from coinslot.rollouts.firmware import UnknownBuildError
from coinslot.rollouts.plan import DEFAULT_RULES, Rules
from coinslot.rollouts.rollouts import (
    NewRollout,
    NotNowError,
    RolloutError,
    UnknownRolloutError,
    Wave,
)
from coinslot.rollouts.soak import least_vends

# In the order in which a machine goes through them, for the drawing.
ORDER: Final = (
    "confirmed", "trial", "installing", "verified", "downloading", "offered", "waiting", "skipped",
    "silent", "rolled_back", "failed",
)  # fmt: skip
_UNDER_WAY: Final = ("offered", "downloading", "verified", "installing", "trial")
_FAILED: Final = ("failed", "rolled_back", "silent")


class RolloutPages(SharedHandler):
    """Each form calls one verb of `rollouts`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def listed(self, request: AnyRequest) -> Response[str]:
        """Every roll-out, and what could be rolled out."""
        merchant = merchant_of(signed_in(request))
        return await self._frame.page(
            request, "rollouts.html", found=await rollouts.listed(self._context, merchant),
            builds=await firmware.builds(self._context, merchant),
            keys=await firmware.keys(self._context, merchant), failed=_FAILED,
        )  # fmt: skip

    async def make(self, request: AnyRequest) -> Redirect:
        """A draft, which is looked at before it is started."""
        form = await forms.read(request)
        chosen = tuple(form.one("machines", 4000).replace(",", " ").split())
        wanted = NewRollout(
            firmware=_uuid(form.one("firmware")), machines=chosen or None, rules=_rules(form)
        )

        async def work(who: SignedIn) -> Done:
            made = await _found(rollouts.create(self._context, editor_of(who), wanted))
            return Done(to=self._frame.to(request, "rollouts", str(made)))

        return await once(self._context, request, form, work)

    async def one(self, request: AnyRequest, rollout: FromPath[UUID]) -> Response[str]:
        return await self._wave(request, rollout)

    async def _wave(self, request: AnyRequest, rollout: UUID, problem: str = "") -> Response[str]:
        merchant = merchant_of(signed_in(request))
        wave = await _found(rollouts.read(self._context, merchant, rollout))
        return await self._frame.page(
            request, "rollout.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
            wave=wave, one=wave.rollout, order=ORDER, number=_number(wave), problem=problem,
            silent=[each for each in wave.machines if each.state == "silent" and each.off_sale],
            shares=_shares(wave),
        )  # fmt: skip

    async def start(self, request: AnyRequest, rollout: FromPath[UUID]) -> Response[str] | Redirect:
        return await self._act(request, rollout, "start")

    async def pause(self, request: AnyRequest, rollout: FromPath[UUID]) -> Response[str] | Redirect:
        return await self._act(request, rollout, "pause")

    async def resume(
        self, request: AnyRequest, rollout: FromPath[UUID]
    ) -> Response[str] | Redirect:
        return await self._act(request, rollout, "resume")

    async def abort(self, request: AnyRequest, rollout: FromPath[UUID]) -> Response[str] | Redirect:
        return await self._act(request, rollout, "abort")

    async def give_up(
        self, request: AnyRequest, rollout: FromPath[UUID], machine: FromPath[str]
    ) -> Response[str] | Redirect:
        return await self._act(request, rollout, "give_up", machine)

    async def _act(
        self, request: AnyRequest, rollout: UUID, verb: str, machine: str = ""
    ) -> Response[str] | Redirect:
        form = await forms.read(request)
        why = form.one("why")
        context = self._context

        async def work(who: SignedIn) -> Done:
            editor = editor_of(who)
            match verb:
                case "start":
                    await rollouts.start(context, editor, rollout)
                case "pause":
                    await rollouts.pause(context, editor, rollout)
                case "resume":
                    past = why if form.one("past") else ""
                    await rollouts.resume(context, editor, rollout, past_soak=past)
                case "abort":
                    await rollouts.abort(context, editor, rollout, why)
                case _:
                    await rollouts.give_up(context, editor, rollout, machine, why)
            where = ("rollouts", str(rollout))
            return Done(to=self._frame.to(request, *where, done=f"rollout_{verb}"))

        try:
            return await once(context, request, form, work)
        except UnknownRolloutError:
            raise _nothing() from None
        except (NotNowError, RolloutError) as error:
            return await self._wave(request, rollout, str(error))


def _number(wave: Wave) -> dict[str, Any]:
    """The one number that decides now: while the stage is under way, failures of how many may be;
    in a soak, the chance that so many failed vends were by chance; before, machines."""
    found, soak = wave.rollout, wave.soak
    counts, rules = found.counts, found.rules
    least = least_vends(rules.soak_vends, rules.level)
    if found.state == "soaking" and soak is not None:
        if (sold := min(soak.new.vends, soak.old.vends)) < least:
            return {"what": "vends", "is": sold, "of": least}
        return {"what": "soak", "is": soak.new.failed, "of": soak.new.vends}
    stopped = (found.pause or {}).get("soak") if found.state == "paused" else None
    if stopped is not None:
        new, old = stopped["new"], stopped["old"]
        if stopped["reason"] == "few_vends":
            return {"what": "vends", "is": min(new["vends"], old["vends"]), "of": least}
        return {"what": "soak", "is": new["failed"], "of": new["vends"]}
    failures = sum(counts.get(state, 0) for state in _FAILED)
    if found.state in ("running", "paused"):
        return {"what": "failures", "is": failures, "of": rules.max_failures}
    done = counts.get("confirmed", 0)
    return {"what": "machines", "is": done, "of": sum(counts.values())}


def _shares(wave: Wave) -> list[dict[str, Any]]:
    """The bar of each stage: widths of its states, of a width of 1000."""
    drawn = []
    for stage in wave.stages:
        left, parts = 0, []
        for state in ORDER:
            count = stage.states.get(state, 0)
            width = round(1000 * count / stage.machines) if stage.machines else 0
            if count:
                parts.append({"state": state, "count": count, "x": left, "width": width})
                left += width
        drawn.append({"stage": stage, "parts": parts})
    return drawn


def _rules(form: Form) -> Rules:
    """What the page asks of the rules; the rest is as by default. Raises RefusedError."""
    begin, end = form.one("from", 5), form.one("until", 5)
    window = (begin, end) if begin and end else None
    hours = whole(form.one("soak_hours", 4) or "24", 720, least=1)
    if hours is None:
        raise RefusedError(400, "bad_request", "A soak is 1 to 720 hours.")
    minutes = whole(form.one("off_sale_minutes", 3) or "10", 60)
    if minutes is None:
        raise RefusedError(400, "bad_request", "A machine may be off sale for 0 to 60 minutes.")
    return replace(
        DEFAULT_RULES, window=window, soak_s=float(hours * 3600), off_sale_s=float(minutes * 60)
    )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise _nothing() from None


async def _found(call: Any) -> Any:
    try:
        return await call
    except (UnknownRolloutError, UnknownBuildError):
        raise _nothing() from None
    except RolloutError as error:
        raise RefusedError(422, error.code, str(error)) from None


def _nothing() -> RefusedError:
    return RefusedError(404, "not_found", "There is no such thing here.")
