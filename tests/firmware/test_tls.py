"""The pinned authority: the firmware goes online where it signed the broker's certificate, and
nowhere else."""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from firmware.board import prepare
from tests.firmware.running import QUICK, SECRET, running
from tests.ports import free_port

ISSUED, EXPIRES = datetime(2020, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)


class Authority:
    """Signs certificates for `localhost`."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.certificate = self._signed(self._name, self._key, ca=True)

    @property
    def base64(self) -> str:
        return base64.b64encode(self.certificate.public_bytes(Encoding.DER)).decode()

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool
    ) -> x509.Certificate:
        names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(ISSUED)
            .not_valid_after(EXPIRES)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(names, critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def server(self, folder: Path) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        signed = self._signed(subject, key, ca=False)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path = folder / "server.pem"
        path.write_bytes(private + signed.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


@contextlib.asynccontextmanager
async def before_the_broker(port: int, broker: int, tls: ssl.SSLContext) -> AsyncIterator[None]:
    """What listens with TLS, and hands everything on to the broker."""

    async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", broker)
        await asyncio.gather(_pipe(reader, inner_writer), _pipe(inner_reader, writer))

    server = await asyncio.start_server(hand_on, "127.0.0.1", port, ssl=tls)
    async with server:
        yield


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()
    writer.close()


def enrolment(port: int, authority: Authority) -> dict[str, Any]:
    return {"broker": f"mqtts://localhost:{port}", "ca": authority.base64}


@pytest.mark.asyncio(loop_scope="module")
async def test_it_trusts_the_authority_that_it_was_enrolled_with_and_no_other(
    tmp_path: Path,
) -> None:
    ours, other, port = Authority("ours"), Authority("other"), free_port()
    async with running(tmp_path, enrolment=enrolment(port, other)) as bench:
        inner = bench.client._port
        async with before_the_broker(port, inner, ours.server(tmp_path)):
            async with asyncio.timeout(15):
                while bench.log().count("line lost") < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            assert bench.server.all("HELLO") == []
            about = {"id": "M01", "secret": SECRET, "slots": {"A1": 10}, "board": QUICK}
            mqtt = {"host": "127.0.0.1", "port": inner}
            prepare(bench.folder, about | {"mqtt": mqtt, "enrolment": enrolment(port, ours)})
            await bench.board.cut()
            await bench.server.expect("HELLO")
            unit_id = await bench.server.vend()
            await bench.server.expect("RESULT", unit_id=unit_id, outcome="VENDED")
