#!/usr/bin/env bash
# `make run`: starts the built daemon with the dev broker and, beside it, JSONL files that success
# waits for; sends one bundled agent session through its OTLP port; shows the routed records of the
# three topics side by side; stays up until Ctrl-C.
# usage: run.sh [BINARY [DIRECTORY]]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=${1:-$(cd "$here/../.." && pwd)/build/spangate}
directory=${2:-data}
mkdir -p "$directory"
log=$directory/spangate.log

# A session of its own: Ctrl-C reaches this script, which then ends the daemon with one signal.
setsid "$binary" serve --config "$here/spangate.yaml" --dev-broker="$directory" 2>"$log" &
daemon=$!
trap 'kill -TERM $daemon 2>/dev/null || true; wait $daemon 2>/dev/null || true' EXIT
trap 'exit 0' INT TERM

for _ in $(seq 100); do
    broker=$(sed -n 's/.*dev broker .* at \([0-9.:]*\).*/\1/p' "$log" | head -n 1)
    ports=$(sed -n 's/.*OTLP\/gRPC port \([0-9]*\), OTLP\/HTTP port \([0-9]*\), admin port \([0-9]*\).*/\1 \2 \3/p' "$log" | head -n 1)
    [ -n "$ports" ] && [ -n "$broker" ] && break
    kill -0 $daemon 2>/dev/null || { cat "$log" >&2; exit 1; }
    sleep 0.1
done
[ -n "${ports:-}" ] || { echo "spangate did not get ready; its log:" >&2; cat "$log" >&2; exit 1; }
read -r grpc http admin <<<"$ports"

python3 "$here/demo.py" --http "http://127.0.0.1:$http" --broker "$broker"
cat <<END

spangate is up (Ctrl-C ends it). Point your agent's exporter at it:

  export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:$http     # http/protobuf or http/json
  export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:$grpc     # with OTEL_EXPORTER_OTLP_PROTOCOL=grpc

Watch the events, from Kafka's side and from the durable files:

  kcat -C -b $broker -t agent.operational -f '%p %k %h %s\n'
  $binary tail --from $directory --follow

Metrics: http://127.0.0.1:$admin/metrics   Log: $log   Files: $directory/*.jsonl
The broker is a toy inside this process: it keeps only the newest data and is gone at the end.
END
wait $daemon
