#!/usr/bin/env bash
# Installs what is missing on a Debian 12 machine: deploy/deps/install.sh SECTION...
# Sections and packages are in packages.txt beside this file. Calls apt only when something is
# missing, so a prepared machine needs neither root nor a network. Works as root or through sudo.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here

[ $# -gt 0 ] || { echo "usage: $0 build|test|tools..." >&2; exit 2; }

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Prints the packages of the named sections that this machine lacks.
missing() {
    local section package rest command
    grep -v '^#' "$here/packages.txt" | while read -r section package rest; do
        case " $* " in *" $section "*) ;; *) continue ;; esac
        command=""
        case $rest in unless=*) command=${rest#unless=} command=${command%% *} ;; esac
        if [ -n "$command" ] && command -v "$command" >/dev/null; then continue; fi
        installed "$package" || echo "$package"
    done
}

read -r -d "" -a packages <<<"$(missing "$@")" || true
if [ "${#packages[@]}" -eq 0 ]; then
    exit 0
fi

if ! command -v apt-get >/dev/null; then
    echo "missing: ${packages[*]} (no apt-get here: install them by hand)" >&2
    exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "missing: ${packages[*]} (neither root nor sudo: install them by hand)" >&2
        exit 1
    fi
    as_root=(sudo)
fi

apt() {
    # A machine that has just booted may still hold apt's lock for its own updates.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 \
        -o Acquire::Retries=3 "$@" </dev/null >&2
}

echo "installing: ${packages[*]}" >&2
# Package lists are fetched only when the ones at hand do not do: none yet, or out of date.
if ! apt install -y --no-install-recommends "${packages[@]}" 2>/dev/null; then
    apt update
    apt install -y --no-install-recommends "${packages[@]}"
fi
