"""An authority of a test's own, that signs certificates of servers and clients."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

BEGINS = datetime(2020, 1, 1, tzinfo=UTC)


class Issued(NamedTuple):
    """A certificate and its key, as files."""

    file: Path
    key: Path


class Authority:
    """Its own certificate is in `file`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        self.file = folder / "authority.pem"
        self.file.write_bytes(self._signed(self._name, self._key, None))

    def issued(self, name: str) -> Issued:
        """To a server at this address, or to a client of this name."""
        made = Issued(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        if not made.file.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
            made.file.write_bytes(self._signed(subject, key, name))
            made.key.write_bytes(
                key.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )  # fmt: skip
        return made

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, address: str | None
    ) -> bytes:
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(BEGINS)
            .not_valid_after(BEGINS + timedelta(days=36_500))
            .add_extension(x509.BasicConstraints(ca=address is None, path_length=None), True)
        )
        if address is not None and address[0].isdigit():
            names = [x509.IPAddress(ipaddress.ip_address(address))]
            made = made.add_extension(x509.SubjectAlternativeName(names), False)
        return made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
