#!/usr/bin/env bash
# Sees to the programs that the tests need beside Python: Chromium and Mosquitto. As root with apt
# it installs Debian's, else it says the one command. Tests that miss one say that they were
# skipped; where CI=true that is a failure.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/usr/local/sbin"

has_chromium() {
    local name
    for name in "${COINSLOT_CHROMIUM:-}" chromium chromium-browser google-chrome; do
        # Ubuntu's chromium-browser may be a stub that only points at snap: ask it to answer.
        [ -n "$name" ] && "$name" --version >/dev/null 2>&1 && return 0
    done
    return 1
}

has_mosquitto() { command -v mosquitto >/dev/null && command -v mosquitto_passwd >/dev/null; }

look() {
    missing='' packages=''
    has_chromium || { missing="Chromium" packages="chromium fonts-liberation"; }
    has_mosquitto || { missing="${missing:+$missing, }Mosquitto" packages="${packages:+$packages }mosquitto"; }
}

install() {
    echo "Installing $packages for the tests ..." >&2
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086 # several words
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $packages; } >&2 || true
    # Debian's package starts a server on port 1883, where the demo's broker listens.
    case $packages in *mosquitto*)
        { systemctl disable --now mosquitto || service mosquitto stop; } >/dev/null 2>&1 || true ;;
    esac
}

look
[ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && { install; look; }
[ -z "$missing" ] && exit 0

echo "Not here: $missing. The tests that need it will be skipped. To have it:" >&2
echo "    sudo apt-get install -y --no-install-recommends $packages" >&2
case $packages in *chromium*)
    echo "    (or name your browser: COINSLOT_CHROMIUM=/path/to/chrome)" >&2 ;;
esac
case $packages in *mosquitto*)
    echo "    sudo systemctl disable --now mosquitto    # else it takes port 1883 from the demo" >&2 ;;
esac
[ "${CI:-}" != true ]
