#!/usr/bin/env bash
# `load/run.sh redact [BUILD]`: the redact room beside RE2 and a Collector (redact.py).
# `load/run.sh replay [BUILD]`: a session read back out of a large topic (replay_bench.py).
# `make bench`: builds the floor and runs load/bench.py with the end-to-end tests' Python.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ "${1:-}" = redact ]; then
    build=${2:-$here/../build}
    cmake --build "$build" --target redact_bench >&2
    python=$("$here/../tests/e2e/environment.sh")
    exec "$python" "$here/redact.py" --build "$build" "${@:3}"
fi
if [ "${1:-}" = replay ]; then
    build=${2:-$here/../build}
    python=$("$here/../tests/e2e/environment.sh")
    exec "$python" "$here/replay_bench.py" --build "$build" "${@:3}"
fi
build=${1:-$here/../build}
cmake --build "$build" --target rdkafka_floor >&2
python=$("$here/../tests/e2e/environment.sh")
exec "$python" "$here/bench.py" --build "$build" "${@:2}"
