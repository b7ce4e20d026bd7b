#!/usr/bin/env bash
# How fast `simulate` goes through a long history and how much memory it takes: made up, LINES lines in a year, about
# CUSTOMERS customers, half of whom are replaced each month. Prints lines/s and the most resident memory.
set -euo pipefail
cd "$(dirname "$0")/.."

LINES=${LINES:-10000000}
CUSTOMERS=${CUSTOMERS:-200000}
program=target/release/contact-governor
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

history() {
  awk -v lines="$1" -v customers="$CUSTOMERS" 'BEGIN {
    srand(1)
    split("31 28 31 30 31 30 31 31 30 31 30 31", lengths, " ")
    split("email sms voice mail", channels, " "); split("marketing relationship service", purposes, " ")
    for (n = 0; n < lines; n++) {
      second = int(n * 31536000 / lines); day = int(second / 86400)
      month = 1; left = day
      while (left >= lengths[month]) { left -= lengths[month]; month++ }
      at = sprintf("2027-%02d-%02dT%02d:%02d:%02dZ", month, left + 1, int(second / 3600) % 24, int(second / 60) % 60, second % 60)
      generation = int(day / 30) * customers / 2
      customer = "c-" int(generation + rand() * customers)
      # Somebody writes, and is answered some minutes later: who never is, is never forgotten.
      if (n % 40 == 19) {
        printf "{\"at\":\"%s\",\"tell\":{\"type\":\"conversation.opened\",\"subject\":\"%s\"}}\n", at, customer; owed = customer
      } else if (n % 40 == 39) {
        printf "{\"at\":\"%s\",\"tell\":{\"type\":\"conversation.answered\",\"subject\":\"%s\"}}\n", at, owed
      } else {
        printf "{\"at\":\"%s\",\"ask\":{\"contact_id\":\"m-%d\",\"customer\":\"%s\",\"channel\":\"%s\",\"purpose\":\"%s\",\"delivery\":\"template\",\"campaign\":\"k-%d\"},\"answered\":{\"verdict\":\"allow\",\"rules\":[]}}\n", \
          at, n, customer, channels[1 + int(rand() * 4)], purposes[1 + int(rand() * 3)], n % 12
      }
    }
  }'
}

measure() {
  local name=$1 lines=$2; shift 2
  history "$lines" >"$work/lines.jsonl"
  command time -f "%e %M" -o "$work/took" "$program" simulate --report "$work/report.json" "$@" <"$work/lines.jsonl" >/dev/null
  awk -v name="$name" -v lines="$lines" '{ printf "| %-34s | %9d | %6.1f s | %8.0f | %5d MB |\n", name, lines, $1, lines / $1, $2 / 1024 }' "$work/took"
}

echo "| what                               | lines     | time     | lines/s  | memory   |"
echo "|------------------------------------|-----------|----------|----------|----------|"
measure "default policy, a tenth" $((LINES / 10))
measure "default policy" "$LINES"
measure "default policy, --answered" "$LINES" --answered
measure "default policy, --against itself" "$LINES" --against config/policy.toml
