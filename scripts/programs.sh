#!/usr/bin/env bash
# Sees to the programs that the tests need beside Python: Chromium and Mosquitto. As root with apt
# it installs Debian's, else it says the one command. Tests that miss one say that they were
# skipped; where CI=true that is a failure.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/usr/local/sbin"

has_chromium() {
    local name
    for name in "${COINSLOT_CHROMIUM:-}" chromium-headless-shell chromium chromium-browser google-chrome; do
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

# Chromium's headless shell draws the same pages for half of the processor's time. Where Debian has
# it beside the whole one it is taken as well; the tests do without it too.
lighten() {
    [ -z "${COINSLOT_CHROMIUM:-}" ] || return 0
    { command -v chromium && ! command -v chromium-headless-shell &&
        apt-cache show chromium-headless-shell; } >/dev/null 2>&1 || return 0
    echo "Installing chromium-headless-shell: the tests are faster with it ..." >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o Acquire::Retries=0 -o Acquire::http::Timeout=10 chromium-headless-shell >&2 || true
}

look
[ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && { install; look; }
[ "$(id -u)" = 0 ] && command -v apt-cache >/dev/null && lighten
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
