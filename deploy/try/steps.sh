# Steps of a trial: sourced by the scripts beside it. Each says what it expects; the first that is not so ends the trial.
# shellcheck shell=bash disable=SC2154,SC2317

# This machine as bwrap shows it to a process: read-only, and without its settings and secrets.
machine=(--ro-bind / / --proc /proc --dev /dev --tmpfs /etc --tmpfs /run --tmpfs /srv)
for file in hosts ld.so.cache nsswitch.conf resolv.conf; do
  machine+=(--ro-bind-try "/etc/$file" "/etc/$file")
done

step() { printf '\n== %s\n' "$*"; }

fail() {
  echo "   NOT SO: $*" >&2
  tail -n 5 "$work"/*.log >&2 || true
  exit 1
}

# What is expected, and what there is, which must contain it.
expect() {
  case "$3" in
    *"$2"*) echo "   $1: ok" ;;
    *) fail "$1: expected \`$2\`, got \`$3\`" ;;
  esac
}

# Asks until it is so, for half a minute.
soon() {
  local what=$1 tries=0
  shift
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || fail "$what"
    sleep 0.1
  done
  echo "   $what: ok"
}

# The words that compose.yaml starts a service with, one a line.
command_of() {
  awk -v service="^(x-|  )$1:" '
    $0 ~ service { here = 1 }
    here && /^ *command:$/ { listed = 1; next }
    listed && /^ *#/ { next }
    listed && /^ *- / { sub(/^ *- /, ""); gsub(/^"|"$/, ""); print; next }
    listed { exit }' deploy/compose/compose.yaml
}

# Asked to stop, and waited for.
stop() {
  kill -TERM "$(inner "$1")"
  wait "${pids[$1]}" && status=0 || status=$?
  expect "$1 stopped in order" 0 "$status"
}

verdict() { curl -s "$1/v1/preflight" -H "authorization: Bearer $key" -H 'content-type: application/json' \
  -d '{"customer": "eve", "channel": "email", "purpose": "marketing", "delivery": "template"}'; }
blind() { verdict "$1" | jq -e '.degraded' >/dev/null; }
sighted() { verdict "$1" | jq -e '.degraded | not' >/dev/null; }

# A policy that is saved with a mistake changes nothing, and one that is sound is in force after SIGHUP: file, name, URL, key.
mistake() {
  local file=$1 name=$2 url=$3 reader=$4 before
  version() { curl -s "$url/v1/policy" -H "authorization: Bearer $reader" | jq -r '.version // .policy.version'; }
  before=$(version)
  cp "$file" "$file.sound"
  echo 'wekk_starts = "monday"' >>"$file"
  kill -HUP "$(inner "$name")"
  said() { grep -q "wekk_starts" "$work/$name.log"; }
  soon "the log says what is wrong with it" said
  expect "the policy before is in force" "$before" "$(version)"
  sed 's/^version = .*/version = "tried-2"/' "$file.sound" >"$file"
  kill -HUP "$(inner "$name")"
  is_new() { [ "$(version)" = tried-2 ]; }
  soon "the sound one is in force, without a restart" is_new
}

finish() { printf '\nAll of it was so.\n'; }
