#!/usr/bin/env bash
# The bars that need a served binary, each as a ratio beside its bar, all taken in one run.
set -euo pipefail
cd "$(dirname "$0")/.."
. benches/measure.sh

heading
measure_ceiling

start memory "$program" serve --listen 127.0.0.1:0 --ledger memory:
report "in memory, a new customer each" "" 100000000 marketing
stop "$pid"

start embedded "$program" serve --listen 127.0.0.1:0 --ledger "embedded:$work/data"
report "embedded, durable, a new customer each" "(bar 0.5)" 100000000 marketing
report "embedded, durable, 100,000 customers" "(bar 0.5)" 100000 marketing
report "embedded, one customer, refused" "" 1 marketing
stop "$pid"

start logged env CONTACT_GOVERNOR__DECISION_LOG__TO="file:$work/decisions" \
  CONTACT_GOVERNOR__DECISION_LOG__SECRET=0123456789012345678901234567890123456789 \
  "$program" serve --listen 127.0.0.1:0 --ledger "embedded:$work/logged"
report "the same, new customers, with a decision log" "" 100000000 marketing
report "the same, one customer, with a decision log" "" 1 marketing
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
