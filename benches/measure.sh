# What every benchmark over HTTP shares: starting servers, loading them, taking the median. Sourced.
# Needs wrk, the release binary and the example `bench-ceiling`; `make bench` sees to them.

SECONDS_EACH=${SECONDS_EACH:-6}
ROUNDS=${ROUNDS:-3}
CONNECTIONS=${CONNECTIONS:-64}

# What is measured is how much can be answered, so nothing is refused for being too much.
export CONTACT_GOVERNOR__OVERLOAD__TARGET_DELAY=1h

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

# load CUSTOMERS PURPOSE: one run of wrk; prints asks/s, allowed, refused, failed, p50 ms, p99 ms, and the
# CPU µs an ask of the server, of whatever $beside names (a Redis), and of wrk.
load() {
  local before before_beside after after_beside result asks
  before=$(cpu_us "$pid"); before_beside=$(cpu_us "${beside:-self}")
  { TIMEFORMAT='%3U %3S'; time wrk -t1 -c"$CONNECTIONS" -d"${SECONDS_EACH}s" -s benches/ask.lua \
      "http://$address/v1/preflight" -- "$@" "$RANDOM$RANDOM" >"$work/wrk" 2>&1; } 2>"$work/wrk.time"
  after=$(cpu_us "$pid"); after_beside=$(cpu_us "${beside:-self}")
  result=$(grep RESULT "$work/wrk") || { cat "$work/wrk" >&2; exit 1; }
  asks=$(echo "$result" | awk '{ print $3 + $4 + $5 }')
  echo "$result $(awk -v a="$after" -v b="$before" -v c="$after_beside" -v d="$before_beside" -v n="$asks" \
    '{ printf "%.1f %.1f %.1f", (a - b) / n, (c - d) / n, ($1 + $2) * 1000000 / n }' "$work/wrk.time")" | cut -d' ' -f2-
}

median() { sort -g | awk '{ rows[NR] = $0 } END { print rows[int((NR + 1) / 2)] }'; }

measure() { for _ in $(seq "$ROUNDS"); do load "$@"; done | median; }

program=target/release/contact-governor

# ceiling: the same server answering a constant; sets $ceiling and prints its row.
measure_ceiling() {
  start constant target/release/examples/bench-ceiling
  local p50 p99 cpu
  read -r ceiling _ _ _ p50 p99 cpu _ < <(measure 1000000 marketing)
  row "the same server, a constant" "$ceiling" "$p50" "$p99" "$cpu" "" "" "1"
  stop "$pid"
}

row() { printf '| %-44s | %9s | %7s | %7s | %8s | %8s | %8s | %s\n' "$@"; }

heading() {
  echo "wrk -t1 -c$CONNECTIONS, $ROUNDS runs of $SECONDS_EACH s each, the median; $(nproc) cores shared with wrk"
  row "what answers" "asks/s" "p50 ms" "p99 ms" "CPU µs" "Redis µs" "allowed" "ratio to the constant"
}

# report NAME BAR CUSTOMERS PURPOSE: one row.
report() {
  local name=$1 bar=$2; shift 2
  local rate allowed refused failed p50 p99 cpu redis share ratio
  read -r rate allowed refused failed p50 p99 cpu redis _ < <(measure "$@")
  [ "$failed" = 0 ] || { echo "$failed answers failed" >&2; exit 1; }
  share=$(awk -v a="$allowed" -v r="$refused" 'BEGIN { printf "%.0f %%", 100 * a / (a + r) }')
  ratio=$(awk -v r="$rate" -v c="$ceiling" 'BEGIN { printf "%.2f", r / c }')
  [ -n "${beside:-}" ] || redis=""
  row "$name" "$rate" "$p50" "$p99" "$cpu" "$redis" "$share" "$ratio $bar"
}
