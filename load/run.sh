#!/usr/bin/env bash
# `make bench`: builds the floor and runs load/bench.py with the end-to-end tests' Python.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-$here/../build}
cmake --build "$build" --target rdkafka_floor >&2
python=$("$here/../tests/e2e/environment.sh")
exec "$python" "$here/bench.py" --build "$build" "${@:2}"
