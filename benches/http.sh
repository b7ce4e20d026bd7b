#!/usr/bin/env bash
# The bars that need a served binary, each as a ratio beside its bar, all taken in one run.
# Needs wrk, the release binary and the example `bench-ceiling`; `make bench` sees to them.
set -euo pipefail
cd "$(dirname "$0")/.."

SECONDS_EACH=${SECONDS_EACH:-6}
ROUNDS=${ROUNDS:-3}
CONNECTIONS=${CONNECTIONS:-64}

work=$(mktemp -d)
pids=()
cleanup() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; rm -rf "$work"; }
trap cleanup EXIT

# start NAME COMMAND…: starts a server, waits until it says where it listens, sets $address and $pid.
start() {
  local name=$1; shift
  "$@" 2>"$work/$name.log" & pid=$!
  pids+=("$pid")
  for _ in $(seq 200); do
    address=$(grep -o 'address=[0-9.:]*' "$work/$name.log" | head -n 1 | cut -d= -f2 || true)
    if [ -n "$address" ]; then return; fi
    read -r -t 0.02 _ <> <(:) || true
  done
  cat "$work/$name.log" >&2; exit 1
}

stop() { kill "$1"; wait "$1" 2>/dev/null || true; }

# CPU a process has used so far, in microseconds.
cpu_us() { awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1000000 / hz }' "/proc/$1/stat"; }

# load CUSTOMERS PURPOSE: one run of wrk; prints asks/s, allowed, refused, failed, p50 ms, p99 ms, CPU µs an ask.
load() {
  local before after result asks
  before=$(cpu_us "$pid")
  result=$(wrk -t1 -c"$CONNECTIONS" -d"${SECONDS_EACH}s" -s benches/ask.lua "http://$address/v1/preflight" -- "$@" "$RANDOM$RANDOM" | grep RESULT)
  after=$(cpu_us "$pid")
  asks=$(echo "$result" | awk '{ print $3 + $4 + $5 }')
  echo "$result $(awk -v a="$after" -v b="$before" -v n="$asks" 'BEGIN { printf "%.1f", (a - b) / n }')" | cut -d' ' -f2-
}

median() { sort -g | awk '{ rows[NR] = $0 } END { print rows[int((NR + 1) / 2)] }'; }

measure() { for _ in $(seq "$ROUNDS"); do load "$@"; done | median; }

program=target/release/contact-governor
row() { printf '| %-44s | %9s | %7s | %7s | %8s | %8s | %s\n' "$@"; }

echo "wrk -t1 -c$CONNECTIONS, $ROUNDS runs of $SECONDS_EACH s each, the median; $(nproc) cores shared with wrk"
row "what answers" "asks/s" "p50 ms" "p99 ms" "CPU µs" "allowed" "ratio to the constant"

start constant target/release/examples/bench-ceiling
read -r ceiling _ _ _ p50 p99 cpu < <(measure 1000000 marketing)
row "the same server, a constant" "$ceiling" "$p50" "$p99" "$cpu" "" "1"
stop "$pid"

# report NAME BAR CUSTOMERS PURPOSE
report() {
  local name=$1 bar=$2; shift 2
  local rate allowed refused failed p50 p99 cpu share ratio
  read -r rate allowed refused failed p50 p99 cpu < <(measure "$@")
  [ "$failed" = 0 ] || { echo "$failed answers failed" >&2; exit 1; }
  share=$(awk -v a="$allowed" -v r="$refused" 'BEGIN { printf "%.0f %%", 100 * a / (a + r) }')
  ratio=$(awk -v r="$rate" -v c="$ceiling" 'BEGIN { printf "%.2f", r / c }')
  row "$name" "$rate" "$p50" "$p99" "$cpu" "$share" "$ratio $bar"
}

start memory "$program" serve --listen 127.0.0.1:0 --ledger memory:
report "in memory, a new customer each" "" 100000000 marketing
stop "$pid"

start embedded "$program" serve --listen 127.0.0.1:0 --ledger "embedded:$work/data"
report "embedded, durable, a new customer each" "(bar 0.5)" 100000000 marketing
report "embedded, durable, 100,000 customers" "(bar 0.5)" 100000 marketing
report "embedded, one customer, refused" "" 1 marketing
stop "$pid"

echo
start=$(date +%s%N)
start idle "$program" serve --listen 127.0.0.1:0 --ledger "embedded:$work/idle"
first=$(curl -s -o /dev/null -w '%{http_code}' -H 'content-type: application/json' "http://$address/v1/preflight" \
  -d '{"customer":"c","channel":"email","purpose":"marketing","delivery":"template"}')
took_ms=$(( ($(date +%s%N) - start) / 1000000 ))
[ "$first" = 200 ]
echo "start to first answer: $took_ms ms (bar 200 ms)"
echo "idle resident memory: $(awk '/VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$pid/status") MB (bar 30 MB)"
stop "$pid"
