#!/usr/bin/env bash
# Asks in batches beside single asks, on the embedded ledger and on a Redis: rates, ratios, peak memory. In one run, on
# one machine. A batch is one curl that sends LINES lines from a file and counts the answers. Single asks are measured
# twice: from one sender, who asks the next once the last is answered, and from as many as saturate the machine.
set -euo pipefail
cd "$(dirname "$0")/.."
. benches/measure.sh

LINES_EACH=${LINES_EACH:-400000}

# lines FILE COUNT CUSTOMERS SEED: what benches/ask.lua asks, a line each; CUSTOMERS 0 is a new one each.
lines() {
  awk -v count="$2" -v customers="$3" -v seed="$4" 'BEGIN {
    srand(seed)
    for (n = 0; n < count; n++)
      printf "{\"customer\":\"c-%s\",\"channel\":\"email\",\"purpose\":\"marketing\",\"delivery\":\"template\",\"campaign\":\"autumn\",\"sender\":\"bench\"}\n",
        customers ? int(rand() * customers) : seed "-" n
  }' >"$1"
}

# batches COUNT CUSTOMERS: so many at once; sets $asks (a second), $share (allowed), $cpu (the server's µs an ask).
batches() {
  local count=$1 customers=$2 began took_us before allowed=0 n senders=()
  for n in $(seq "$count"); do lines "$work/lines-$n" "$LINES_EACH" "$customers" "$RANDOM$RANDOM"; done
  before=$(cpu_us "$pid"); began=$(date +%s%N)
  for n in $(seq "$count"); do
    curl -sS --no-buffer -X POST -H 'content-type: application/x-ndjson' -H 'expect:' -T "$work/lines-$n" \
      "http://$address/v1/preflight/batch" | LC_ALL=C awk '/"verdict":"allow"/ { a++ } /"verdict"/ { v++ } END { print a + 0, v + 0 }' \
      >"$work/answered-$n" &
    senders+=("$!")
  done
  wait "${senders[@]}"
  took_us=$(( ($(date +%s%N) - began) / 1000 ))
  cpu=$(awk -v a="$(cpu_us "$pid")" -v b="$before" -v n=$((count * LINES_EACH)) 'BEGIN { printf "%.1f", (a - b) / n }')
  for n in $(seq "$count"); do
    read -r some answered <"$work/answered-$n"
    [ "$answered" = "$LINES_EACH" ] || { echo "$answered answers to $LINES_EACH lines" >&2; exit 1; }
    allowed=$((allowed + some))
  done
  asks=$(( count * LINES_EACH * 1000000 / took_us ))
  share=$(awk -v a="$allowed" -v n=$((count * LINES_EACH)) 'BEGIN { printf "%.0f %%", 100 * a / n }')
}

peak_mb() { awk '/VmHWM/ { printf "%.0f MB", $2 / 1024 }' "/proc/$pid/status"; }

line() { printf '| %-40s | %9s | %8s | %8s | %8s | %14s | %s\n' "$@"; }

# single NAME CUSTOMERS CONNECTIONS: sets $rate.
single() {
  local name=$1 customers=$2 allowed refused cpu
  read -r rate allowed refused _ _ _ cpu _ < <(CONNECTIONS=$3 measure "$([ "$customers" = 0 ] && echo 100000000 || echo "$customers")" marketing)
  line "$name" "$rate" "$cpu" "$(awk -v a="$allowed" -v r="$refused" 'BEGIN { printf "%.0f %%", 100 * a / (a + r) }')" "$(peak_mb)" "" ""
}

# compare NAME CUSTOMERS: single asks from one sender and over many connections, then one batch, then two at once.
compare() {
  local name=$1 customers=$2 rate one many count
  single "$name: single, 1 connection" "$customers" 1; one=$rate
  single "$name: single, $CONNECTIONS connections" "$customers" "$CONNECTIONS"; many=$rate
  for count in 1 2; do
    read -r asks cpu share < <(for _ in $(seq "$ROUNDS"); do batches "$count" "$customers"; echo "$asks $cpu $share"; done | median)
    line "$name: batches at once: $count" "$asks" "$cpu" "$share" "$(peak_mb)" "$(ratio "$asks" "$one")" "$(ratio "$asks" "$many")"
  done
}

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", a / b }'; }

echo "single asks: wrk; batches: $LINES_EACH lines each; $ROUNDS runs, the median; $(nproc) cores for all"
line "what is asked" "asks/s" "CPU µs" "allowed" "peak" "to 1 (bar 4)" "to $CONNECTIONS"

start embedded "$program" serve --listen 127.0.0.1:0 --ledger "embedded:$work/data"
compare "embedded, allowed" 0
compare "embedded, 100,000 customers" 100000
stop "$pid"

port=${REDIS_PORT:-16392}
redis-server --port "$port" --bind 127.0.0.1 --save "" --daemonize no --dir "$work" >"$work/redis.log" &
beside=$!
pids+=("$beside")
until redis-cli -p "$port" ping >/dev/null 2>&1; do read -r -t 0.02 _ <> <(:) || true; done
start redis "$program" serve --listen 127.0.0.1:0 --ledger "redis://127.0.0.1:$port"
compare "redis, allowed" 0
compare "redis, 100,000 customers" 100000
stop "$pid"
