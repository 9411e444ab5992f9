"""`coinslot-sign`: the keys that sign firmware, and what they sign. It works offline, on a computer
that is not the server; nothing of it ever asks the network."""

import base64
import hashlib
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from coinslot.kit.clock import SystemClock
from coinslot.rollouts.manifest import Manifest, ManifestError, read_manifest, sign

_PASSPHRASE: Final = "COINSLOT_SIGN_PASSPHRASE"

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

KeyFile = Annotated[Path, typer.Option("--key", help="The file of the key.")]
Formats = Annotated[
    str, typer.Option(help="Formats of the journal that the code reads; it writes the last.")
]


def main() -> None:
    """The console script."""
    app()


@app.command("key")
def make_key(
    file: Path,
    plain: Annotated[
        bool, typer.Option(help="Without a passphrase: whoever reads the file can sign.")
    ] = False,
) -> None:
    """Make a key, and print its public half, which the server is given.

    Example: coinslot-sign key release.key"""
    lock: KeySerializationEncryption = NoEncryption()
    if plain:
        typer.echo(f"warning: {file} is not encrypted: whoever reads it can sign.", err=True)
    else:
        lock = BestAvailableEncryption(_passphrase(new=True))
    try:
        typer.echo(write_key(file, lock))
    except FileExistsError:
        raise _stop(f"{file} is there already, and a key is never overwritten.") from None


def write_key(file: Path, lock: KeySerializationEncryption) -> str:
    """A new key in a file of its own, and its public half in hex. Raises FileExistsError."""
    key = Ed25519PrivateKey.generate()
    body = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(body)
    return key.public_key().public_bytes_raw().hex()


@app.command("public")
def public_half(key: KeyFile) -> None:
    """Print the public half of a key.

    Example: coinslot-sign public --key release.key"""
    typer.echo(public_of(key))


def public_of(file: Path) -> str:
    """The public half of the key in a file, in hex."""
    return _key(file).public_key().public_bytes_raw().hex()


@app.command("build")
def sign_build(  # noqa: PLR0913  each is an option
    image: Path,
    key: KeyFile,
    version: Annotated[str, typer.Option(help="What HELLO says when this code runs.")],
    sequence: Annotated[int, typer.Option(help="Higher than that of every build before.")],
    hardware: Annotated[str, typer.Option(help="For which machines.")],
    kind: Annotated[str, typer.Option(help="For which part of them.")] = "app",
    min_from: Annotated[int, typer.Option(help="The lowest sequence to come from.")] = 0,
    journal_formats: Formats = "1",
    days: Annotated[int, typer.Option(help="It may be rolled out for so long.")] = 180,
) -> None:
    """Sign an image. Writes IMAGE.upload.json, which is the body of POST /firmware.

    Example: coinslot-sign build fw.bin --key release.key --version 1.5.0 --sequence 7
    --hardware esp32"""
    content = image.read_bytes()
    expires = (SystemClock().now() + timedelta(days=days)).astimezone(UTC)
    manifest = _manifest({
        "version": version, "sequence": sequence, "hardware": hardware, "kind": kind,
        "size": len(content), "sha256": hashlib.sha256(content).hexdigest(),
        "min_from": min_from, "expires": _second(expires),
        "journal_formats": [int(each) for each in journal_formats.split(",")],
    })  # fmt: skip
    text, signature = sign(_key(key), manifest)
    upload = {
        "manifest": text, "signature": signature.hex(),
        "image": base64.b64encode(content).decode(),
    }  # fmt: skip
    place = image.with_name(f"{image.name}.upload.json")
    place.write_text(json.dumps(upload), encoding="utf-8")
    typer.echo(text)
    typer.echo(f"{place}: the body of POST /firmware", err=True)


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _manifest(values: dict[str, object]) -> Manifest:
    """Within its bounds, as the server will read it."""
    try:
        return read_manifest(msgspec.json.encode(values))
    except ManifestError as error:
        raise _stop(str(error)) from None


def _key(file: Path) -> Ed25519PrivateKey:
    body = file.read_bytes()
    secret = _passphrase(new=False) if b"ENCRYPTED" in body else None
    try:
        key = load_pem_private_key(body, secret)
    except (ValueError, TypeError):
        raise _stop(f"{file} does not open: another passphrase, or no key.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _stop(f"{file} holds another sort of key.")
    return key


def _passphrase(*, new: bool) -> bytes:
    """From the environment, for scripts; else typed."""
    given = os.environ.get(_PASSPHRASE)
    if given is None:
        given = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=new)
    if not given:
        raise _stop("An empty passphrase protects nothing: say --plain to have none.")
    return str(given).encode()


def _stop(message: str) -> typer.Exit:
    typer.echo(f"coinslot-sign: {message}", err=True)
    return typer.Exit(1)
