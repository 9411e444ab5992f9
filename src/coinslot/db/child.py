"""Runs a program that is killed when its parent dies, as an unprivileged user where wanted. The
parent starts this file as a script; it prepares itself and execs the program, so the process id
stays. The parent's main thread must start it: the kernel watches the thread."""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

_SAME_USER = "-"
_NOBODY = 65534
_USER_INSIDE = 1000
_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


def command(
    argv: Sequence[str], death_signal: signal.Signals, unprivileged_owner_of: Path | None = None
) -> list[str]:
    """The command line that runs `argv` and has it sent `death_signal` when this process dies.

    With `unprivileged_owner_of`, the program of a root parent runs as another user, who is made
    the owner of that folder. Who is not root keeps its own user."""
    folder = unprivileged_owner_of if os.geteuid() == 0 else None
    python = [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(death_signal))]
    return [*python, str(folder) if folder else _SAME_USER, *argv]


def environment() -> dict[str, str]:
    """Only the variables that Python itself may need to start."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **kept}


def become(arguments: Sequence[str]) -> None:
    parent_pid, death_signal, folder, *argv = arguments
    if folder != _SAME_USER:
        _drop_root(folder)
    if sys.platform == "linux":
        # Last, because a change of credentials clears it.
        _call("prctl", _PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != int(parent_pid):
        sys.exit("the parent died before its child could start")
    os.execv(argv[0], argv)


def _drop_root(folder: str) -> None:
    """A user namespace needs no second user and reaches folders that only root may enter. Where
    namespaces are refused (containers, chroots): nobody, with the one right to pass folders."""
    if _namespaces_allowed():
        group = os.getegid()
        _own(folder, os.geteuid())
        _call("unshare", _CLONE_NEWUSER)
        _map("setgroups", "deny")
        _map("gid_map", f"{_USER_INSIDE} {group} 1")
        _map("uid_map", f"{_USER_INSIDE} 0 1")
        return
    _own(folder, _NOBODY)
    _become_nobody()


def _namespaces_allowed() -> bool:
    probe = os.fork()
    if probe == 0:
        os._exit(ctypes.CDLL(None).unshare(_CLONE_NEWUSER) != 0)
    return os.waitpid(probe, 0)[1] == 0


def _map(name: str, line: str) -> None:
    # Exec removes the capabilities of a user who does not appear as root.
    Path("/proc/self", name).write_text(line, encoding="ascii")


def _become_nobody() -> None:
    _call("prctl", _PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(_NOBODY, _NOBODY, _NOBODY)
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    right = 1 << _CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _call("capset", header, (ctypes.c_uint32 * 6)(right, right, right, 0, 0, 0))
    _call("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def _own(folder: str, user: int) -> None:
    """The folder itself last: it marks that everything in it has changed owner."""
    if os.stat(folder).st_uid == user:
        return
    for place, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            os.chown(os.path.join(place, name), user, -1, follow_symlinks=False)
    os.chown(folder, user, -1)


def _call(function: str, *arguments: object) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), function)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"{function} was refused")


if __name__ == "__main__":
    become(sys.argv[1:])
