#!/usr/bin/env bash
# Makes .venv hold exactly what requirements.lock says. Does nothing when it already does.
# Needs Python 3.11 or newer with venv; reads no cache of the home folder that must be there.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "Coinslot needs Python 3.11 or newer as '$python'; name another with PYTHON=..." >&2
    exit 1
}

# A .venv knows its own path and interpreter, so both belong to the stamp.
wanted=$("$python" - <<'PY'
import hashlib, os, pathlib, sys
parts = [pathlib.Path(name).read_bytes() for name in ("requirements.lock", "pyproject.toml")]
parts += [sys.version.encode(), os.getcwd().encode()]
print(hashlib.sha256(b"\0".join(parts)).hexdigest())
PY
)
stamp=.venv/made-from
[ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && exit 0

echo "Setting up .venv (once per change of requirements.lock; a minute or two) ..." >&2
"$python" -m venv --clear .venv || {
    echo "Python's venv is missing; on Debian and Ubuntu: sudo apt-get install -y python3-venv" >&2
    exit 1
}
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_INPUT=1
export PYTHONUNBUFFERED=1

# pip says a line per package, which is too much, or nothing for two minutes, which looks dead.
told() {
    local all seen=0 line
    all=$(grep -c '^[A-Za-z0-9].*==' requirements.lock)
    while IFS= read -r line; do
        case $line in
        Collecting\ * | Ignoring\ *)
            seen=$((seen + 1))
            [ $((seen % 20)) -ne 0 ] || echo "  $seen of $all packages are here" >&2 ;;
        Installing\ collected\ *) echo "  all are here; installing them ..." >&2 ;;
        esac
    done
}
.venv/bin/python -m pip install --progress-bar off --require-hashes -r requirements.lock | told
# The build backend came from the lock just now: nothing is fetched here.
.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --no-index -e .
echo "$wanted" >"$stamp"
echo "  .venv is ready" >&2
