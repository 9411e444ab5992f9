"""The authority of the embedded broker: made at the first start, it signs the broker's certificate,
and machines are given it at their enrolment. Keys never leave this folder."""

import contextlib
import ipaddress
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from coinslot.db.child_server import write_private
from coinslot.kit.clock import Clock

_AUTHORITY_FOR: Final = timedelta(days=20 * 365)  # machines keep it for their lives
_SERVER_FOR: Final = timedelta(days=397)
_RENEWED_BEFORE: Final = timedelta(days=60)
# A clock that was never set, in a machine without a battery, says some year before this.
_BEGINS: Final = datetime(2020, 1, 1, tzinfo=UTC)

Key = ec.EllipticCurvePrivateKey


class Authority:
    """Key and certificate in one file each, so that a death between two writes leaves no half."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._file = folder / "authority.pem"
        self.server_file = folder / "server.pem"
        self._folder, self._clock = folder, clock

    def pem(self) -> bytes:
        """Its certificate; it is made where there is none."""
        return self._own()[1].public_bytes(serialization.Encoding.PEM)

    def der(self) -> bytes:
        return self._own()[1].public_bytes(serialization.Encoding.DER)

    def renew(self, names: Sequence[str]) -> bool:
        """Sign a certificate of the broker for these names and addresses, where the one there is
        names others, ends within two months, or is another's. Whether it was needed."""
        key, certificate = self._own()
        if self._is_good(certificate, names):
            return False
        own = ec.generate_private_key(ec.SECP256R1())
        signed = (
            _named("Coinslot broker", certificate.subject, own, self._clock.now() + _SERVER_FOR)
            .add_extension(x509.SubjectAlternativeName(list(_alternatives(names))), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(key, hashes.SHA256())
        )
        write_private(self.server_file, _both(own, signed))
        return True

    def _own(self) -> tuple[Key, x509.Certificate]:
        if not self._file.exists():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            key = ec.generate_private_key(ec.SECP256R1())
            name = _name("Coinslot authority for machines")
            made = (
                _named("Coinslot authority for machines", name, key,
                       self._clock.now() + _AUTHORITY_FOR)
                .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                .add_extension(_SIGNS, critical=True)
                .sign(key, hashes.SHA256())
            )  # fmt: skip
            self._keep(_both(key, made))
        return _read(self._file)

    def _keep(self, content: bytes) -> None:
        """Of two processes that make it at once, one makes it for both."""
        draft = self._folder / f"authority.{os.getpid()}"
        write_private(draft, content)
        with contextlib.suppress(FileExistsError):
            os.link(draft, self._file)
        draft.unlink()

    def _is_good(self, authority: x509.Certificate, names: Sequence[str]) -> bool:
        try:
            _, there = _read(self.server_file)
            there.verify_directly_issued_by(authority)
            named = there.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (OSError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            return False  # whatever is wrong with it, a new one is signed
        lasts = there.not_valid_after_utc - self._clock.now() > _RENEWED_BEFORE
        return lasts and set(named) == set(_alternatives(names))


_SIGNS: Final = x509.KeyUsage(
    digital_signature=False, content_commitment=False, key_encipherment=False,
    data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
    encipher_only=False, decipher_only=False,
)  # fmt: skip


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _named(common: str, issuer: x509.Name, key: Key, until: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(common))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGINS)
        .not_valid_after(until)
    )


def _alternatives(names: Sequence[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in dict.fromkeys(names):
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def _both(key: Key, certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _read(path: Path) -> tuple[Key, x509.Certificate]:
    content = path.read_bytes()
    key = serialization.load_pem_private_key(content, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key, x509.load_pem_x509_certificate(content)
