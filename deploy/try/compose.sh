#!/usr/bin/env bash
# Starts by hand what compose.yaml starts, where there is no container engine, and sees from outside that it works.
#
#   deploy/try/compose.sh [PROGRAM]        target/release/contact-governor unless told otherwise
#
# Needs root, bubblewrap, redis-server, redis-cli, curl, jq and python3; prometheus where it is there.
# Everything runs in a network of its own, with an address for each service, so nothing outside is touched and no port is
# taken. Each process has the user, the files, the rights and the words that compose.yaml and the Dockerfile give it, in a
# read-only file system; the governors' holds their program and the C library, and no shell.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$(realpath "${1:-target/release/contact-governor}")

if [ -z "${INSIDE:-}" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  # Mounts, addresses and processes go with the namespaces.
  INSIDE=1 WORK=$work unshare --net --mount --pid --fork --mount-proc --kill-child \
    "$0" "$program"
  exit
fi
work=${WORK:?}
# shellcheck source-path=SCRIPTDIR/../..
source deploy/try/steps.sh

step "A network with a name and an address for each service"
ip link set lo up
hosts="127.0.0.1 localhost"
number=10
for service in redis governor-a governor-b prometheus; do
  ip address add 10.88.0.$number/32 dev lo
  hosts="$hosts
10.88.0.$number $service"
  number=$((number + 1))
done
echo "$hosts" >"$work/hosts"
mount --bind "$work/hosts" /etc/hosts

step "Secrets, made by the script"
cp -r deploy/compose deploy/redis "$work"
rm -rf "$work/compose/secrets"
GOVERNOR=$program "$work/compose/make-secrets.sh"
secrets=$work/compose/secrets

step "The image's last stage: the program, its libraries, its folders"
root=$work/root
mkdir -p "$root"/{usr/bin,etc/contact-governor/policy,var/lib/contact-governor,run/secrets,proc,dev,tmp}
install --strip "$program" "$root/usr/bin/contact-governor"
for library in $(ldd "$program" | grep -o '/[^ ]*'); do
  install -D "$library" "$root$library"
done
touch "$root/etc/contact-governor/settings.toml" "$root/etc/hosts" "$root/run/secrets/governor"
du -h "$root/usr/bin/contact-governor"
mkdir -p "$work"/{records,journal}
chown 999:999 "$work/records"
chown 65532:65532 "$work/journal"
# Who is who on this side of the mount.
chmod 0711 "$work"
chmod 0755 "$secrets"

redis() {
  mapfile -t words < <(command_of redis)
  setpriv --reuid 999 --regid 999 --clear-groups --bounding-set -all --no-new-privs \
    bwrap --unshare-user "${machine[@]}" --ro-bind "$secrets/redis-users.acl" /run/secrets/redis-users \
    --ro-bind "$secrets/redis-operator" /run/secrets/redis-operator \
    --ro-bind deploy/redis/redis.conf /etc/redis/redis.conf \
    --bind "$work/records" /srv --chdir /srv "${words[@]}" >>"$work/redis.log" 2>&1 &
  redis_pid=$!
  soon "redis answers its healthcheck" redis_is_well
}
redis_is_well() { REDISCLI_AUTH=$(cat "$secrets/redis-operator") redis-cli -h redis --user operator ping 2>/dev/null | grep -q PONG; }

# In the place of this shell: the container of one governor.
contained() {
  exec setpriv --reuid 65532 --regid 65532 --clear-groups --bounding-set -all --no-new-privs \
    bwrap --unshare-user --ro-bind "$root" / --proc /proc --dev /dev \
    --ro-bind /etc/hosts /etc/hosts \
    --ro-bind deploy/compose/settings.toml /etc/contact-governor/settings.toml \
    --ro-bind "$work/compose/policy" /etc/contact-governor/policy \
    --ro-bind "$secrets/governor.toml" /run/secrets/governor \
    --bind "$work/journal" /var/lib/contact-governor --chdir /var/lib/contact-governor \
    --clearenv "$@"
}
# One address each instead of one network each: all that is added to the words.
governor() {
  mapfile -t words < <(command_of governor)
  contained /usr/bin/contact-governor "${words[@]}" --listen "$(getent hosts "$1" | cut -d ' ' -f 1):8080" \
    >>"$work/$1.log" 2>&1 &
  pids[$1]=$!
  soon "$1 answers its healthcheck" is_well "$1"
}
is_well() { (contained /usr/bin/contact-governor healthcheck --url "http://$1:8080"); }
# The program within: bwrap's child.
inner() { pgrep -P "${pids[$1]}" -f "serve" | tail -n 1 || true; }
declare -A pids

step "Redis"
redis
expect "nobody gets into Redis without a name" "NOAUTH" "$(redis-cli -h redis ping 2>&1)"
step "Two governors"
governor governor-a
governor governor-b
key=$(cat "$secrets/sender-key")
ask() { curl -s "http://$1:8080/v1/preflight" -H "authorization: Bearer $key" -H 'content-type: application/json' -d "$2"; }
question='{"customer": "ada", "channel": "email", "purpose": "marketing", "delivery": "template"}'
expect "without a key nobody is answered" 401 \
  "$(curl -s -o /dev/null -w '%{http_code}' http://governor-a:8080/v1/preflight -d "$question")"
expect "the first ask is allowed" allow "$(ask governor-a "$question" | jq -r .verdict)"
expect "the other governor knows of it" one-a-day "$(ask governor-b "$question" | jq -r '.reasons[].rule')"
expect "the file system is read-only" "Read-only file system" \
  "$(contained /usr/bin/contact-governor serve --ledger embedded:/usr/data 2>&1 || true)"

if command -v prometheus >/dev/null && [ -d deploy/prometheus/rules ]; then
  step "Prometheus"
  mapfile -t words < <(command_of prometheus)
  mkdir -p "$work/measurements"
  chown 65534:65534 "$work/measurements"
  setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all --no-new-privs \
    bwrap --unshare-user "${machine[@]}" --ro-bind "$secrets/prometheus-key" /run/secrets/prometheus-key \
    --ro-bind deploy/compose/prometheus.yml /etc/prometheus/prometheus.yml \
    --ro-bind deploy/prometheus/rules /etc/prometheus/rules \
    --bind "$work/measurements" /srv --chdir /srv \
    prometheus "${words[@]/=\/prometheus/=\/srv}" >>"$work/prometheus.log" 2>&1 &
  up() { [ "$(curl -s 'http://prometheus:9090/api/v1/query?query=up==1' | jq '.data.result | length')" -ge 2 ]; }
  soon "Prometheus scrapes both governors with its key" up
  worked_out() { curl -s http://prometheus:9090/api/v1/rules | jq -e '[.data.groups[].rules[].health] | unique == ["ok"]'; }
  soon "every rule of ../prometheus is worked out" worked_out
else
  echo "   (prometheus is not installed here: left out)"
fi

step "SIGTERM to one governor under load, and the start of it anew, then the other: a rolling upgrade"
python3 deploy/try/load.py --seconds 16 --key "$secrets/sender-key" --prefix roll --cap 1 \
  http://governor-a:8080 http://governor-b:8080 >"$work/load" &
load=$!
for name in governor-a governor-b; do
  stop "$name"
  governor "$name"
done
wait $load && status=0 || status=$?
cat "$work/load"
expect "no answer was lost, and no cap was passed" 0 "$status"

step "SIGHUP with a policy that has a mistake, then with a sound one"
mistake "$work/compose/policy/policy.toml" governor-a "http://governor-a:8080" "$(cat "$secrets/reader-key")"

step "Redis is killed, and comes back"
kill -9 "$(pgrep -P $redis_pid || echo $redis_pid)" 2>/dev/null || true
wait $redis_pid 2>/dev/null || true
soon "asks are answered blind" blind http://governor-b:8080
expect "liveness is not touched" 200 "$(curl -s -o /dev/null -w '%{http_code}' http://governor-a:8080/livez)"
expect "the healthcheck is not touched" 0 "$(is_well governor-a; echo $?)"
expect "readiness without the ledger is not touched" 200 "$(curl -s -o /dev/null -w '%{http_code}' 'http://governor-a:8080/readyz?exclude=ledger')"
expect "readiness is" 503 "$(curl -s -o /dev/null -w '%{http_code}' http://governor-a:8080/readyz)"
redis
soon "asks are answered by the records again" sighted http://governor-b:8080
expect "what was known is known" one-a-day "$(ask governor-b "$question" | jq -r '.reasons[].rule')"
finish
