#!/usr/bin/env bash
# Four times as many asks as can be answered: how long those that are accepted take, beside how long asks take when
# there is nothing else to do. Open loop: the load waits for no answer, and each ask is measured from the moment it
# should have been sent. The server has one worker and, where there are two cores, one of them to itself.
set -euo pipefail
cd "$(dirname "$0")/.."
. benches/measure.sh

LOADED=${LOADED:-4}
# So many that a slow answer keeps no other ask from being sent.
OPEN=${OPEN:-1000}
generator=${GENERATOR:-target/release/examples/bench-overload}
program=${PROGRAM:-$program}

server_core=() load_core=()
if [ "$(nproc)" -gt 1 ] && command -v taskset >/dev/null; then
  server_core=(taskset -c 0) load_core=(taskset -c 1)
fi

# An e-mail of 2 kB, whose claims are read: an ask that takes its time.
words="We are sorry that your last order came late, and thank you for years of trust. Here is what is new this autumn. "
content=$(printf '%.0s'"$words" $(seq 18))
printf '{"customer":"c-{n}","channel":"email","purpose":"marketing","delivery":"template","content":{"subject":"News","body":"%s"}}\n' \
  "$content" >"$work/e-mail.json"
printf '{"customer":"c-{n}","channel":"email","purpose":"marketing","delivery":"template"}\n' >"$work/template.json"

# run RATE CONNECTIONS BODY: sets what the generator found.
run() {
  read -r _ rate accepted shed failed unsent p50 p99 shed_p99 late < <("${load_core[@]}" "$generator" "$address" "$SECONDS_EACH" "$1" "$2" "$work/$3.json")
}

# first BODY: one ask before the load, so that what is made for the first is not measured.
first() {
  sed 's/{n}/first/' "$work/$1.json" | curl -sS -o /dev/null --fail -H 'content-type: application/json' -d @- "http://$address/v1/preflight"
}

line() { printf '| %-34s | %9s | %9s | %7s | %7s | %7s | %8s | %7s | %7s | %s\n' "$@"; }

# compare NAME LEDGER BODY
compare() {
  local name=$1 ledger=$2 body=$3 capacity unloaded
  export CONTACT_GOVERNOR__OVERLOAD__TARGET_DELAY=1h
  start capacity env CONTACT_GOVERNOR__HTTP__WORKERS=1 "${server_core[@]}" \
    "$program" serve --listen 127.0.0.1:0 --ledger "${ledger/DIR/$work/capacity-$body}"
  first "$body"
  run 0 64 "$body"
  capacity=$rate
  [ "$capacity" -ge "$LOADED" ] || { echo "nothing was answered" >&2; exit 1; }
  stop "$pid"
  line "$name: as many as are answered" "$rate" "$rate" "$p50" "$p99" "0 %" "" "" "$failed" ""
  unset CONTACT_GOVERNOR__OVERLOAD__TARGET_DELAY
  if [ -n "${TARGET_DELAY:-}" ]; then export CONTACT_GOVERNOR__OVERLOAD__TARGET_DELAY=$TARGET_DELAY; fi
  start overload env CONTACT_GOVERNOR__HTTP__WORKERS=1 "${server_core[@]}" \
    "$program" serve --listen 127.0.0.1:0 --ledger "${ledger/DIR/$work/overload-$body}"
  first "$body"
  run $((capacity / LOADED)) "$OPEN" "$body"
  unloaded=$p99
  line "$name: a quarter of that" $((capacity / LOADED)) "$rate" "$p50" "$p99" "$(share)" "$shed_p99" "$(missing)" "$failed" ""
  run $((capacity * LOADED)) "$OPEN" "$body"
  line "$name: $LOADED times that" $((capacity * LOADED)) "$rate" "$p50" "$p99" "$(share)" "$shed_p99" "$(missing)" "$failed" \
    "$(awk -v p="$p99" -v u="$unloaded" 'BEGIN { printf "%.1f", p / u }') (bar 3)"
  echo "  the load was late by at most $late ms itself"
  stop "$pid"
}

missing() { awk -v u="$unsent" -v s="$shed" -v a="$accepted" 'BEGIN { printf "%.0f %%", 100 * u / (u + s + a) }'; }
share() { awk -v s="$shed" -v a="$accepted" 'BEGIN { printf "%.0f %%", 100 * s / (s + a) }'; }

echo "open loop over $OPEN connections, $SECONDS_EACH s each; one worker; $(nproc) cores"
line "what is asked" "asked/s" "allowed/s" "p50 ms" "p99 ms" "shed" "shed p99" "unsent" "failed" "p99 of accepted to p99 unloaded"
compare "in memory, an e-mail of 2 kB" memory: e-mail
compare "embedded, an e-mail of 2 kB" embedded:DIR e-mail
compare "embedded, a template" embedded:DIR template
