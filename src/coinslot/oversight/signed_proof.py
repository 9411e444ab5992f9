"""The proof of an order as a file: all that the database has about it, signed with a key of the
installation. Anyone can check it again without the database: that nothing was changed, that each
movement of money balances, and that every state was reached by moves that the flows allow."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Database
from coinslot.db.sealed import SealedColumn
from coinslot.kit.flow import Flow
from coinslot.kit.secrets import UnknownKeyError, Vault, VaultKeyError
from coinslot.oversight import store
from coinslot.states.attempt_flow import ATTEMPT
from coinslot.states.order_flow import ORDER
from coinslot.states.payment_flow import PAYMENT
from coinslot.states.refund_flow import REFUND

FORMAT: Final = "coinslot-order-proof/1"
_SEALED_AS: Final = "installation:proof_key"
_KEY_BYTES: Final = 32
_FLOWS: Final[Mapping[str, Flow]] = {one.name: one for one in (ORDER, PAYMENT, ATTEMPT, REFUND)}
_ROWS: Final = (("order", "orders"), ("payment", "payments"), ("attempt", "attempts"),
                ("refund", "refunds"), ("fulfillment", "units"))  # fmt: skip


class UnreadableProofError(ValueError):
    """This file is no proof of an order."""


class SignedProof(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`proof` is what is signed: its JSON with sorted keys. `key` and `signature` in base64."""

    proof: dict[str, Any]
    key: str
    signature: str


class PublicKey(Struct, frozen=True, kw_only=True):
    """A key as a JSON Web Key; `kid` is its thumbprint (RFC 7638)."""

    x: str
    kid: str
    kty: str = "OKP"
    crv: str = "Ed25519"
    alg: str = "EdDSA"
    use: str = "sig"


class Verdict(Struct, frozen=True, kw_only=True):
    """The answer to one question about a proof; `why` names what breaks it."""

    name: str
    ok: bool
    why: str = ""


async def signed(context: Context, merchant: UUID, order: UUID) -> SignedProof | None:
    """None: the merchant has no such order. Raises VaultKeyError."""
    async with context.db.as_merchant(merchant) as conn:
        found: dict[str, Any] | None = await conn.fetchval(store.EVIDENCE_OF_ORDER, order)
    if found is None:
        return None
    proof = {
        "format": FORMAT, "installation": context.installation,
        "made_at": context.now().isoformat(), **found,
    }  # fmt: skip
    key = await proof_key(context.db, context.vault)
    return SignedProof(
        proof=proof, key=_base64(_public(key)), signature=_base64(key.sign(_bytes_of(proof)))
    )


async def proof_key(db: Database, vault: Vault) -> Ed25519PrivateKey:
    """The installation's, made when it is first asked for. Raises VaultKeyError where it was sealed
    with a key that is gone."""
    async with db.system_transaction() as conn:
        sealed = await conn.fetchval("SELECT proof_key FROM installation")
        if sealed is None:
            sealed = await conn.fetchval("SELECT proof_key FROM installation FOR NO KEY UPDATE")
        if sealed is None:
            made = Ed25519PrivateKey.generate()
            sealed = vault.seal(made.private_bytes_raw(), _SEALED_AS)
            await conn.execute("UPDATE installation SET proof_key = $1", sealed)
    try:
        return Ed25519PrivateKey.from_private_bytes(vault.open(sealed, _SEALED_AS))
    except UnknownKeyError as error:
        raise VaultKeyError(
            f"the key that signs proofs is {error}: name that key in COINSLOT_KEYS too"
        ) from error


SEALED: Final = (
    SealedColumn(
        table="installation", column="proof_key", key="one", names=(),
        place=lambda _row: _SEALED_AS,
    ),
)  # fmt: skip


def fingerprint(key: str) -> str:
    """Of a public key in base64: what two people compare."""
    found = hashlib.sha256(base64.b64decode(key)).hexdigest()
    return " ".join(found[at : at + 4] for at in range(0, 32, 4))


def public_key(key: Ed25519PrivateKey) -> str:
    return _base64(_public(key))


def as_jwk(key: str) -> PublicKey:
    """Of a public key in base64."""
    x = _base64url(base64.b64decode(key))
    named = msgspec.json.encode({"crv": "Ed25519", "kty": "OKP", "x": x}, order="sorted")
    return PublicKey(x=x, kid=_base64url(hashlib.sha256(named).digest()))


def signed_by(given: SignedProof, key_set: bytes) -> Verdict:
    """Whether the proof's key is in a key set that was fetched from the installation. Raises
    UnreadableProofError."""
    try:
        keys = msgspec.json.decode(key_set, type=_KeySet).keys
    except msgspec.MsgspecError as error:
        raise UnreadableProofError(f"this is no set of keys: {error}") from error
    here = any(one.x == as_jwk(given.key).x for one in keys)
    why = "" if here else "this key is not in the set"
    return Verdict(name="it_is_signed_with_a_key_of_this_set", ok=here, why=why)


class _KeySet(Struct):
    keys: tuple[PublicKey, ...]


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def as_file(proof: SignedProof) -> bytes:
    return msgspec.json.format(msgspec.json.encode(proof, order="sorted"), indent=1)


def read(content: bytes) -> SignedProof:
    """Whatever the file says is under the signature: another field beside it, or a field that is
    there twice, would be read by people and by other programs, and by nobody here.

    Raises UnreadableProofError."""
    try:
        found = msgspec.json.decode(content, type=SignedProof)
        json.loads(content, object_pairs_hook=_each_once)
        is_key = len(base64.b64decode(found.key, validate=True)) == _KEY_BYTES
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UnreadableProofError(f"this is no proof of an order: {error}") from error
    if found.proof.get("format") != FORMAT or not is_key:
        raise UnreadableProofError(f"this is no {FORMAT}")
    return found


def _each_once(fields: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(fields)
    if len(found) != len(fields):
        twice = next(name for at, (name, _) in enumerate(fields) if name in dict(fields[:at]))
        raise ValueError(f"{twice!r} is there twice")
    return found


def check(given: SignedProof, unit_flows: Mapping[str, Flow]) -> list[Verdict]:
    """Everything that can be checked without the database. Only a right signature gives the other
    answers their worth."""
    proof = given.proof
    questions = (
        ("it_is_as_it_was_signed", _signature(given)),
        ("every_movement_of_money_balances", _balance(proof)),
        ("captured_money_is_accounted_for", _accounted(proof)),
        ("the_ledger_says_the_same_as_the_captures", _booked(proof)),
        ("every_state_was_reached_by_moves_that_are_allowed", _moves(proof, unit_flows)),
        ("captured_money_became_goods_or_went_back", _ended(proof)),
    )
    verdicts = []
    for name, found in questions:
        try:
            why = next(iter(found), "")
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            why = f"it cannot be read: {error!r}"
        verdicts.append(Verdict(name=name, ok=not why, why=why))
    return verdicts


def _signature(given: SignedProof) -> Iterator[str]:
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(given.key, validate=True))
        key.verify(base64.b64decode(given.signature, validate=True), _bytes_of(given.proof))
    except (InvalidSignature, ValueError):
        yield "the signature is not of this content and key"


def _balance(proof: Mapping[str, Any]) -> Iterator[str]:
    sums: dict[str, int] = {}
    for line in proof["ledger"]:
        sums[line["txn"]] = sums.get(line["txn"], 0) + line["amount"]
    yield from (f"movement {txn} leaves {rest}" for txn, rest in sums.items() if rest)


def _accounted(proof: Mapping[str, Any]) -> Iterator[str]:
    parts = ("fulfilled", "refund_due", "goodwill", "surplus", "foreign_amount", "open")
    for one in proof["captures"]:
        if one["captured"] != sum(one.get(part, 0) for part in parts):
            yield f"capture {one['id']}: {one['captured']} is not the sum of its parts"


def _booked(proof: Mapping[str, Any]) -> Iterator[str]:
    for one in proof["captures"]:
        lines = [line for line in proof["ledger"] if line["capture"] == one["id"]]
        captured = _sum(lines, "gateway", "captured")
        for what, booked, said in (
            ("captured", captured, one["captured"]),
            ("goods", -_sum(lines, "sales"), one["fulfilled"]),
            ("fee", _sum(lines, "fees"), one["fee"] or 0),
            ("open", -_sum(lines, "obligations"), one["open"]),
        ):
            if booked != said:
                yield f"capture {one['id']}: {what} {said}, and {booked} in the ledger"


def _ended(proof: Mapping[str, Any]) -> Iterator[str]:
    """An order that is still within its time is not wrong, but its proof is not whole yet."""
    for one in proof["captures"]:
        lines = [line for line in proof["ledger"] if line["capture"] == one["id"]]
        if one["open"]:
            yield f"capture {one['id']}: {one['open']} is open still"
        waiting = -_sum(lines, "refunds_payable")
        if waiting:
            yield f"capture {one['id']}: {waiting} is on its way back still"


def _sum(lines: Sequence[Mapping[str, Any]], account: str, why: str | None = None) -> int:
    return sum(
        line["amount"] for line in lines
        if line["account"] == account and (why is None or line["why"] == why)
    )  # fmt: skip


def _moves(proof: Mapping[str, Any], unit_flows: Mapping[str, Flow]) -> Iterator[str]:
    for machine, rows in _ROWS:
        subjects = [proof["order"]] if rows == "orders" else proof[rows]
        for row in subjects:
            flow = unit_flows[row["kind"]] if machine == "fulfillment" else _FLOWS[machine]
            moves = [
                one for one in proof["record"]
                if (one["of"], one["subject"]) == (machine, row["id"]) and one["state"] is not None
            ]  # fmt: skip
            state = moves[0]["was"] if moves else row["state"]
            if moves and state != flow.initial and row.get("origin") != "gateway":
                yield f"{machine} {row['id']} begins as {state}"
            for move in sorted(moves, key=lambda one: int(one["seq"])):
                allowed = flow.next(move["was"], move["event"])
                if move["was"] != state or allowed is None or allowed.next != move["state"]:
                    yield f"{machine} {row['id']}: {move['event']} from {move['was']}"
                state = move["state"]
            if state != row["state"]:
                yield f"{machine} {row['id']} is {row['state']}, and its record ends in {state}"


def _bytes_of(proof: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(proof, order="sorted")


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
