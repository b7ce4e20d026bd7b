#!/usr/bin/env bash
# How many rows a second `scrub` judges, and in how much memory: a made list, each customer once and some twice.
set -euo pipefail
cd "$(dirname "$0")/.."

rows=${SCRUB_ROWS:-1000000}
program=target/release/contact-governor
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

{ echo Name,customer,city,fact.purchases
  seq 1 "$rows" | awk -v n="$rows" '{ printf "Somebody Number %d,c-%d,Springfield,%d\n", $1, $1 * 7 % int(n * 0.9), $1 % 12 }'
} > "$folder/list.csv"

measure() {
  local name=$1 start end; shift
  start=$(date +%s.%N)
  "$program" scrub --set channel=mail --set purpose=marketing --set delivery=template "$@" \
    --out "$folder/out.csv" "$folder/list.csv" 2> "$folder/said" &
  local pid=$! peak=0 now
  while now=$(awk '/VmHWM/ { print $2 }' "/proc/$pid/status" 2>/dev/null) && [ -n "$now" ]; do peak=$now; sleep 0.05; done
  wait "$pid" || { cat "$folder/said"; exit 1; }
  end=$(date +%s.%N)
  awk -v n="$rows" -v s="$start" -v e="$end" -v p="$peak" -v name="$name" \
    'BEGIN { printf "%s: %d rows, %.0f rows/s, %.0f MB at the most\n", name, n, n / (e - s), p / 1024 }'
}

measure "no history"
seq 1 200000 | awk 'BEGIN { print "customer,channel,at" } { printf "c-%d,mail,2026-11-01\n", $1 }' > "$folder/history.csv"
measure "a history of 200,000 contacts" --history "$folder/history.csv"
