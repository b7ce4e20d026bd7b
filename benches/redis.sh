#!/usr/bin/env bash
# The bars of the ledger in Redis, beside the same server answering a constant and beside what Redis does
# when `redis-benchmark` sends it the same two commands. All in one run, on one machine.
set -euo pipefail
cd "$(dirname "$0")/.."
. benches/measure.sh

port=${REDIS_PORT:-16391}
redis-server --port "$port" --bind 127.0.0.1 --save "" --daemonize no --dir "$work" >"$work/redis.log" &
beside=$!
pids+=("$beside")
until redis-cli -p "$port" ping >/dev/null 2>&1; do read -r -t 0.02 _ <> <(:) || true; done
flush() { redis-cli -p "$port" flushall >/dev/null; }
serve() { start "$1" "$program" serve --listen 127.0.0.1:0 --ledger "redis://127.0.0.1:$port" "${@:2}"; }

heading
measure_ceiling

serve caps --policy benches/four-caps.toml
report "four caps, a new customer each, allowed" "(bar 0.5, 33,000/s)" 100000000 marketing
flush
report "four caps, 100,000 customers, allowed" "(bar 0.5, 33,000/s)" 100000 marketing
stop "$pid"; flush

serve courtesy
report "default policy, a new customer each, allowed" "" 100000000 marketing; flush
report "default policy, 100,000 customers" "(bar 0.5)" 100000 marketing; flush
report "default policy, one customer, refused" "(bar 0.5)" 1 marketing; flush

echo
echo "the same policy, by how many customers there are (each asked about before, so nearly all refused):"
for customers in 1000 1000000; do
  SECONDS_EACH=$((customers / 25000 + 2)) load "$customers" marketing >/dev/null
  report "$customers customers" "" "$customers" marketing
done
echo "Redis: $(redis-cli -p "$port" info memory | awk -F: '/^used_memory_human/ { print $2 }' | tr -d '\r') for $(redis-cli -p "$port" dbsize) customers"
flush

echo
echo "one instance and two, each loaded by a wrk of its own with half the connections:"
first=$address first_pid=$pid
serve second
CONNECTIONS=$((CONNECTIONS / 2))
both() {
  local one two
  (address=$first pid=$first_pid work=$(mktemp -d); load "$@" >"$work.out"; cat "$work.out"; rm -rf "$work" "$work.out") >"$work/one" &
  local other=$!
  load "$@" >"$work/two"
  wait "$other"
  one=$(cut -d' ' -f1 "$work/one"); two=$(cut -d' ' -f1 "$work/two")
  echo $((one + two))
}
two=$(for _ in $(seq "$ROUNDS"); do both 100000 marketing; done | median)
CONNECTIONS=$((CONNECTIONS * 2))
flush
address=$first pid=$first_pid
read -r one _ < <(measure 100000 marketing)
echo "one instance $one asks/s, two $two asks/s: $(awk -v a="$two" -v b="$one" 'BEGIN { printf "%.2f", a / b }') times"
flush

echo
echo "what Redis itself does with the same two commands, 64 in flight, by redis-benchmark:"
sha=$(redis-cli -p "$port" script load "$(cat src/ledger/redis/commit.lua)")
value=$(head -c 300 /dev/zero | tr '\0' x)
asked() { redis-benchmark -p "$port" -q -c 2 -P 32 -n "${REQUESTS:-1000000}" -r 100000000 "$@" 2>/dev/null | tr '\r' '\n' | grep -o '[0-9.]* requests per second' | tail -n 1; }
echo "GET:              $(asked GET c:__rand_int__)"
echo "the commit:       $(asked EVALSHA "$sha" 1 c:__rand_int__ 1 "" "$value" 0)"
