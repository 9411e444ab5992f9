"""A certificate for 127.0.0.1, made once and kept, so that a client can be told to trust it."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.clock import now_s
from sandbox.store import Store

LIFE = timedelta(days=3_650)


class Pair(msgspec.Struct):
    """Both as PEM."""

    certificate: str
    key: str


def kept(store: Store) -> Pair:
    """The pair of this sandbox, made when it is first asked for."""
    with store.read() as look:
        row = look.one("SELECT body FROM facts WHERE name = 'smtp.certificate'")
    if row is not None:
        return msgspec.json.decode(row["body"], type=Pair)
    pair = _made()
    with store.change() as change:
        change.run("INSERT INTO facts VALUES ('smtp.certificate', ?)", (msgspec.json.encode(pair),))
    return pair


def context(pair: Pair) -> ssl.SSLContext:
    """For a server; Python reads a key only from a file."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pair.pem"
        path.write_text(pair.certificate + pair.key)
        made.load_cert_chain(path)
    return made


def _made() -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sandbox")])
    now = datetime.fromtimestamp(now_s(), UTC)
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Pair(certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode())
