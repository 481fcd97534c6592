#!/usr/bin/env bash
# Makes what the Node clients of the end-to-end tests need, from the lockfiles beside this file: a
# directory for each in ${SPANGATE_DEPS_DIR:-~/.cache/spangate}, the AI SDK's with a Node 22 of its
# own (Debian's is older than the SDK allows), so that a machine needs no more than npm. Prints the
# directories, one a line: ai-sdk, gemini-cli, codex. No package's install script runs. Idempotent;
# safe to interrupt: things are made beside their place and moved there whole.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly deps=${SPANGATE_DEPS_DIR:-$HOME/.cache/spangate}

work=
trap 'rm -rf "$work"' EXIT

# project NAME PROGRAM [npm's options]; PROGRAM, where * is the machine's kind, must then be there:
# npm is silent about an optional package that it could not fetch.
project() {
    local name=$1 program=$2 target
    shift 2
    target=$deps/node-$name-$(sha256sum "$here/$name/package-lock.json" | cut -c 1-12)
    if [ ! -d "$target" ]; then
        work=$(mktemp -d "$deps/node-$name.XXXXXX")
        cp "$here/$name/package.json" "$here/$name/package-lock.json" "$work/"
        npm ci --prefix "$work" --ignore-scripts --no-audit --no-fund --no-update-notifier \
            --loglevel=error "$@" </dev/null >&2
        # shellcheck disable=SC2086
        ls "$work"/node_modules/$program >/dev/null
        mv "$work" "$target"
        work=
    fi
    echo "$target"
}

mkdir -p "$deps"
exec 9>"$deps/node-environment.lock"
flock 9
project ai-sdk 'node-linux-*/bin/node'
# Its optional packages are native: a terminal and a key ring, which nothing here uses.
project gemini-cli @google/gemini-cli/bundle/gemini.js --omit=optional
project codex 'codex-linux-*/vendor/*/bin/codex'
