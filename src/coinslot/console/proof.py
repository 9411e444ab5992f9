"""Proof: do the books balance, and who says so? For whoever runs the installation; and the proof of
one order, for its merchant."""

from typing import Final
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect

from coinslot.console.current_merchant import merchant_of
from coinslot.console.frame import Frame
from coinslot.oversight import audit_runs, signed_proof
from coinslot.oversight.signed_proof import SignedProof
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.audit_log import Act, record

_RUNS: Final = 10


class ProofPages(SharedHandler):
    """Each page asks one verb of `oversight`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def audits(self, request: AnyRequest) -> Response[str]:
        context = self._context
        runs = await audit_runs.newest(context, _RUNS)
        key = signed_proof.public_key(await signed_proof.proof_key(context.db, context.vault))
        return await self._frame.page(
            request, "proof.html", runs=runs, key=signed_proof.fingerprint(key),
            last=next((run for run in runs if run.ended_at is not None), None),
            waiting=next((run for run in runs if run.ended_at is None), None),
        )  # fmt: skip

    async def run(self, request: AnyRequest) -> Redirect:
        """Two clicks are one audit: the second finds the first waiting."""
        who = signed_in(request)
        await audit_runs.ask(self._context, who.login, who.actor)
        return self._frame.to(request, "proof", done="audit_asked")

    async def owed(self, request: AnyRequest) -> Response[str]:
        found = await audit_runs.owed(self._context)
        return await self._frame.page(request, "owed.html", found=found)

    async def order(self, request: AnyRequest, order: FromPath[UUID]) -> Response[str]:
        made = await self._signed(request, order)
        flows = {name: kind.flow for name, kind in self._context.kinds.items()}
        return await self._frame.page(
            request, "order_proof.html", proof=made.proof, order=made.proof["order"],
            verdicts=signed_proof.check(made, flows), key=signed_proof.fingerprint(made.key),
        )  # fmt: skip

    async def file(self, request: AnyRequest, order: FromPath[UUID]) -> Response[bytes]:
        made, who = await self._signed(request, order), signed_in(request)
        act = Act(action="order.proof_taken", merchant=who.merchant, subject=str(order))
        async with self._context.db.as_merchant(merchant_of(who)) as conn:
            await record(conn, who.actor, act, self._context.now())
        number = made.proof["order"]["number"]
        return Response(
            signed_proof.as_file(made), media_type="application/json",
            headers={
                "Content-Disposition": f'attachment; filename="proof-{number}-{order}.json"',
                "Cache-Control": "no-store",
            },
        )  # fmt: skip

    async def _signed(self, request: AnyRequest, order: UUID) -> SignedProof:
        made = await signed_proof.signed(self._context, merchant_of(signed_in(request)), order)
        if made is None:
            raise RefusedError(404, "not_found", "There is no such order.")
        return made
