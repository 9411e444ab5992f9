"""The key that signs proofs has an address of its own, for whoever was given a file."""

import asyncio
import base64
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from typer.testing import CliRunner

from coinslot.commands import build
from coinslot.oversight import signed_proof
from tests.console.test_money import sold
from tests.console.test_proof import proof_of
from tests.people.conftest import Staffed

PLACE = "/.well-known/coinslot-proof-keys"


async def test_a_stranger_fetches_the_key_and_checks_a_proof_with_it_alone(
    staffed: Staffed,
) -> None:
    made = await proof_of(staffed, await sold(staffed))
    async with staffed.client() as client:
        answer = await client.get(PLACE)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/jwk-set+json"
    (key,) = answer.json()["keys"]
    assert (key["kty"], key["crv"]) == ("OKP", "Ed25519")
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
    signed = msgspec.json.encode(made.proof, order="sorted")
    public.verify(base64.b64decode(made.signature), signed)  # raises where it is another's
    assert answer.json()["mark"] == signed_proof.fingerprint(made.key)


async def test_the_command_tells_our_key_from_another_one(staffed: Staffed, tmp_path: Path) -> None:
    made = await proof_of(staffed, await sold(staffed))
    file, keys = tmp_path / "proof.json", tmp_path / "keys.json"
    file.write_bytes(signed_proof.as_file(made))
    async with staffed.client() as client:
        keys.write_bytes((await client.get(PLACE)).content)
    runner, arguments = CliRunner(), ["audit", "--file", str(file), "--keys", str(keys)]
    ours = await asyncio.to_thread(runner.invoke, build(), arguments)
    assert (ours.exit_code, "signed with a key of this set" in ours.output) == (0, True)
    another = base64.b64encode(bytes(32)).decode()
    key_set = {"keys": [msgspec.to_builtins(signed_proof.as_jwk(another))]}
    keys.write_bytes(msgspec.json.encode(key_set))
    theirs = await asyncio.to_thread(runner.invoke, build(), arguments)
    assert (theirs.exit_code, "this key is not in the set" in theirs.output) == (1, True)


async def test_the_address_is_described_in_the_schema(staffed: Staffed) -> None:
    async with staffed.client() as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    assert paths[PLACE]["get"]["operationId"] == "readProofKeys"
