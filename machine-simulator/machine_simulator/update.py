"""Updates of a machine's code: two slots, a trial, and the way back. A message in, reports out;
what outlives the power lies in one file that is replaced whole. An image is JSON here: what the
code does once it runs, so that a build can hang, never confirm itself, or sell worse."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from machine_simulator.files import Record, replace

TRIES_OF_A_TRIAL = 3  # boots of code that is not confirmed, then the kept one runs again

GOOD, HANGS, NEVER_SYNCS, SELLS_WORSE, BRICKS = (
    "good", "hangs", "never_syncs", "sells_worse", "bricks",
)  # fmt: skip


@dataclass(frozen=True)
class Code:
    """What is in a slot."""

    version: str
    sequence: int
    formats: tuple[int, ...] = (1,)  # of the journal: what it reads, the one that it writes last
    behaviour: str = GOOD


@dataclass(frozen=True)
class Hardware:
    """What never changes: which images it takes, and whose."""

    name: str
    keys: tuple[bytes, ...]  # of ed25519, the public halves
    kind: str = "app"


@dataclass
class Flash:
    """What outlives the power. `kept`: the code to go back to while the other is on trial."""

    runs: Code
    kept: Code | None = None
    tries: int = 0  # boots of the trial
    rollout: str = ""
    attempt: int = 0
    state: str = ""  # of that attempt, as it is reported
    code: str | None = None
    manifest: Record = field(default_factory=dict)
    image: str = ""  # verified, and not installed yet

    @property
    def on_trial(self) -> bool:
        return self.kept is not None


class Updater:
    """Decides about updates. `load` the address that `command` returns, then give it the manifest,
    then the image; `boot` at every start, `synced` after a SYNC."""

    def __init__(self, folder: Path, hardware: Hardware, first: Code) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.hardware = hardware
        self._path = folder / "update.json"
        self.flash = self._read() or Flash(runs=first)
        self.manifest_url: str | None = None
        self.asked = False  # where it is

    # The life of a slot

    def boot(self) -> Code:
        """The loader: which code runs now. It counts the boots of a trial, and goes back."""
        flash = self.flash
        if flash.kept is not None:
            if flash.tries >= TRIES_OF_A_TRIAL:
                flash.runs, flash.kept, flash.tries = flash.kept, None, 0
                flash.state, flash.code = "ROLLED_BACK", "NOT_CONFIRMED"
            else:
                flash.tries += 1
                flash.state = "TRIAL"
            self._keep()
        return flash.runs

    def synced(self, *, self_test: bool = True) -> list[Record]:
        """The server answered HELLO. Code on trial that has tested itself is kept for good, by one
        durable record; only then is that said."""
        flash = self.flash
        if flash.kept is not None and self_test and flash.runs.behaviour != NEVER_SYNCS:
            flash.kept, flash.tries, flash.state, flash.code = None, 0, "CONFIRMED", None
            self._keep()
        return self.report()

    def report(self) -> list[Record]:
        """How far it is; said after every SYNC, and again until the server goes on."""
        flash = self.flash
        if not flash.rollout:
            return []
        said: Record = {"rollout": flash.rollout, "attempt": flash.attempt, "state": flash.state}
        return [said if flash.code is None else said | {"code": flash.code}]

    # An attempt

    def command(self, message: Mapping[str, Any], *, boot_id: str, idle: bool) -> bool:
        """A message of the topic `commands/firmware`. True: install now, which ends this boot."""
        rollout, attempt = str(message["rollout"]), int(message["attempt"])
        flash = self.flash
        if message.get("go"):
            return self._go(
                rollout, attempt, same_boot=message.get("boot_id") == boot_id, idle=idle
            )
        if message.get("withdrawn"):
            return self._withdrawn(rollout, attempt)
        if flash.on_trial or (rollout == flash.rollout and attempt < flash.attempt):
            self.asked = True
            return False
        if (rollout, attempt) != (flash.rollout, flash.attempt):
            flash.rollout, flash.attempt, flash.state, flash.code = rollout, attempt, "", None
            flash.manifest, flash.image = {}, ""
            self._keep()
        if not flash.state:
            self.manifest_url = str(message["manifest_url"])
        else:
            self.asked = True  # the same offer again: say where it is
        return False

    def take_manifest(self, answer: Mapping[str, Any]) -> list[Record]:
        """What `manifest_url` answered. Refused here, nothing is loaded."""
        self.manifest_url = None
        flash = self.flash
        text, signature = str(answer["manifest"]).encode(), bytes.fromhex(str(answer["signature"]))
        if not any(_is_signed(key, text, signature) for key in self.hardware.keys):
            return self._failed("SIGNATURE")
        manifest = json.loads(text)
        if why := self._why_not(manifest):
            return self._failed(why)
        flash.manifest, flash.state = manifest, "DOWNLOADING"
        self._keep()
        return self.report()

    def _why_not(self, manifest: Mapping[str, Any]) -> str | None:
        runs, formats = self.flash.runs, [int(each) for each in manifest["journal_formats"]]
        if manifest["hardware"] != self.hardware.name:
            return "HARDWARE"
        if manifest["kind"] != self.hardware.kind:
            return "KIND"
        if int(manifest["sequence"]) <= runs.sequence:
            return "SEQUENCE"
        if int(manifest["min_from"]) > runs.sequence:
            return "MIN_FROM"
        # It has to read what is in the journal now, and the kept code what it will write.
        if runs.formats[-1] not in formats or formats[-1] not in runs.formats:
            return "JOURNAL"
        return None

    def take_image(self, image: bytes) -> list[Record]:
        """All of it. It is compared with what was signed; nothing of it runs before."""
        manifest = self.flash.manifest
        if len(image) != int(manifest["size"]):
            return self._failed("SIZE")
        if hashlib.sha256(image).hexdigest() != manifest["sha256"]:
            return self._failed("SHA256")
        if _behaviour(image) is None:
            return self._failed("FORMAT")
        self.flash.image, self.flash.state = image.decode(), "VERIFIED"
        self._keep()
        return self.report()

    def _go(self, rollout: str, attempt: int, *, same_boot: bool, idle: bool) -> bool:
        """Never while a unit is open; never on a GO that another boot was given."""
        flash = self.flash
        mine = (rollout, attempt) == (flash.rollout, flash.attempt) and flash.state == "VERIFIED"
        if not (mine and same_boot and idle):
            return False
        behaviour = _behaviour(flash.image.encode()) or GOOD
        manifest = flash.manifest
        new = Code(
            manifest["version"], int(manifest["sequence"]), tuple(manifest["journal_formats"]),
            behaviour,
        )  # fmt: skip
        flash.kept, flash.runs, flash.tries, flash.state = flash.runs, new, 0, "INSTALLING"
        flash.image = ""
        self._keep()
        return True

    def _withdrawn(self, rollout: str, attempt: int) -> bool:
        flash = self.flash
        mine = (rollout, attempt) == (flash.rollout, flash.attempt)
        if mine and flash.state in ("", "DOWNLOADING", "VERIFIED"):
            self.manifest_url = None
            self._failed("WITHDRAWN")
        self.asked = True
        return False

    def fail(self, code: str) -> list[Record]:
        """The attempt ends here, and why."""
        return self._failed(code)

    def _failed(self, code: str) -> list[Record]:
        self.flash.state, self.flash.code, self.flash.image = "FAILED", code, ""
        self._keep()
        return self.report()

    # The file

    def _read(self) -> Flash | None:
        try:
            raw = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        kept = raw["kept"]
        return Flash(**{**raw, "runs": _code(raw["runs"]), "kept": kept and _code(kept)})

    def _keep(self) -> None:
        replace(self._path, json.dumps(asdict(self.flash)))


def _behaviour(image: bytes) -> str | None:
    """What the code does once it runs; None: this is no code for a simulated machine."""
    try:
        return str(json.loads(image)["behaviour"])
    except (ValueError, KeyError, TypeError):
        return None


def _code(raw: Mapping[str, Any]) -> Code:
    formats: Sequence[int] = raw["formats"]
    return Code(raw["version"], raw["sequence"], tuple(formats), raw["behaviour"])


def _is_signed(key: bytes, text: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True
