#!/usr/bin/env bash
# Sees to a Chromium for the browser tests: installs Debian's when root, else says how.
# Without one the tests say that they were skipped; where CI=true that is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

found() {
    local name
    for name in "${COINSLOT_CHROMIUM:-}" chromium chromium-browser google-chrome; do
        # Ubuntu's chromium-browser may be a stub that only points at snap: ask it to answer.
        [ -n "$name" ] && "$name" --version >/dev/null 2>&1 && return 0
    done
    return 1
}

found && exit 0
packages="chromium fonts-liberation"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing $packages for the browser tests ..." >&2
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $packages; } >&2 || true
    found && exit 0
fi
echo "No Chromium: the browser tests will be skipped. To have one:" >&2
echo "    sudo apt-get install -y --no-install-recommends $packages" >&2
echo "or name yours with COINSLOT_CHROMIUM=/path/to/chrome" >&2
[ "${CI:-}" != true ]
