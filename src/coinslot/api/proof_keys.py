"""The public key by which anyone checks the proof of an order, at an address that does not move:
a JSON Web Key Set (RFC 7517, RFC 8037)."""

from litestar import Response
from msgspec import Struct

from coinslot.context import Context
from coinslot.oversight import signed_proof
from coinslot.oversight.signed_proof import PublicKey
from coinslot.pages.shared_handler import SharedHandler


class ProofKeySet(Struct, frozen=True):
    """`keys` has one key. Two people compare it by its `mark`, which a page of a proof shows."""

    keys: tuple[PublicKey, ...]
    mark: str


class ProofKeys(SharedHandler):
    """It is the installation's, and no secret."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: ProofKeySet | None = None

    async def all(self) -> Response[ProofKeySet]:
        """Compare it with `key` in the file of a proof."""
        if self._known is None:  # it is the same for as long as the installation lives
            private = await signed_proof.proof_key(self._context.db, self._context.vault)
            key = signed_proof.public_key(private)
            self._known = ProofKeySet(
                keys=(signed_proof.as_jwk(key),), mark=signed_proof.fingerprint(key)
            )
        return Response(self._known, headers={"Cache-Control": "public, max-age=3600"})
