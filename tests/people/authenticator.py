"""A passkey in software: makes the credentials and the signatures that a browser would send."""

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
Json = dict[str, Any]


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@dataclass
class Authenticator:
    """One key. `verifies`: it asks for a finger or a PIN. `counts`: it counts its signatures."""

    origin: str
    verifies: bool = True
    counts: bool = True
    signed: int = 0
    credential: bytes = field(default_factory=lambda: os.urandom(32))
    user: bytes = b""

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: Json, cose: Any = ...) -> Json:
        """The answer of `navigator.credentials.create`; `cose`: with this instead of its key."""
        padded = options["user"]["id"] + "=="
        self.user = base64.urlsafe_b64decode(padded)
        client = self._client("webauthn.create", options["challenge"])
        numbers = self.key.public_key().public_numbers()
        own = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        data = self._data(options["rp"]["id"], ATTESTED) + bytes(16)
        data += len(self.credential).to_bytes(2) + self.credential
        data += cbor2.dumps(own if cose is ... else cose)
        attested = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._credential(clientDataJSON=b64(client), attestationObject=b64(attested))

    def answer(self, options: Json) -> Json:
        """The answer of `navigator.credentials.get`."""
        if self.counts:
            self.signed += 1
        client = self._client("webauthn.get", options["challenge"])
        data = self._data(options["rpId"])
        proof = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._credential(
            clientDataJSON=b64(client), authenticatorData=b64(data), signature=b64(proof),
            userHandle=b64(self.user),
        )  # fmt: skip

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _data(self, host: str, flags: int = 0) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + self.signed.to_bytes(4)

    def _credential(self, **response: str) -> Json:
        name = b64(self.credential)
        return {
            "id": name, "rawId": name, "type": "public-key", "response": response,
            "clientExtensionResults": {},
        }  # fmt: skip
