#!/usr/bin/env bash
# Makes what the end-to-end tests need beside the program: a Python environment with pinned packages
# and the jars of a Kafka broker, both kept in ${SPANGATE_DEPS_DIR:-~/.cache/spangate} under the hash
# of the file that pins them. Prints the path of the environment's python. Idempotent; safe to
# interrupt: things are made beside their place and moved there whole.
#
#   environment.sh              for the tests
#   environment.sh client NAME  for the agents of clients/requirements-NAME.txt, when a test asks
#   environment.sh quality      for the labelled corpus of tests/quality
#   environment.sh quality-compare  the same with what it is held against
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly deps=${SPANGATE_DEPS_DIR:-$HOME/.cache/spangate}

hash_of() { sha256sum "$1" | cut -c 1-12; }

# python_environment NAME REQUIREMENTS [pip's options]
python_environment() {
    local target requirements=$2
    target=$deps/$1-$(hash_of "$requirements")
    shift 2
    if [ ! -f "$target/complete" ]; then
        rm -rf "$target"
        python3 -m venv "$target" >&2
        "$target/bin/pip" install --quiet --disable-pip-version-check --no-input "$@" \
            -r "$requirements" >&2
        touch "$target/complete"
    fi
    echo "$target/bin/python"
}

kafka_jars() {
    local target work
    target=$deps/kafka-$(hash_of "$here/../harness/kafka/pom.xml")
    [ -d "$target" ] && return
    work=$(mktemp -d "$deps/kafka-jars.XXXXXX")
    trap "rm -rf '$work'" EXIT
    cp "$here/../harness/kafka/pom.xml" "$work/"
    mvn -B -q -f "$work/pom.xml" package -Djars.directory="$work/lib" </dev/null >&2
    mv "$work/lib" "$target"
}

mkdir -p "$deps"
exec 9>"$deps/environment.lock"
flock 9
if [ "${1:-}" = client ]; then
    # Everything is pinned, so nothing is to be resolved; what is imported is compiled then.
    python_environment "client-$2" "$here/clients/requirements-$2.txt" --no-deps --no-compile
    exit
fi
case "${1:-}" in
    quality) python_environment quality "$here/../quality/requirements.txt"; exit ;;
    quality-compare)
        python_environment quality-compare "$here/../quality/requirements-compare.txt" --no-deps
        exit
        ;;
esac
kafka_jars
python_environment python "$here/requirements.txt"
