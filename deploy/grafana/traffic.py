#!/usr/bin/env python3
"""Some minutes of a made-up company, for the dashboards' pictures.

Starts a Redis, two governors on it and a Prometheus with the files of deploy/prometheus, all on free ports and in a folder of their own; lets senders ask and
tell, customers complain and unsubscribe, and people answer; takes Redis away for a while; has a policy changed, and one refused; and draws both dashboards
while it is all still there. Usage:

    traffic.py GOVERNOR OUT_FOLDER [SECONDS]
"""

import collections
import datetime
import http.client
import json
import math
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
# Prometheus lives so many times faster: it scrapes each second, and what its rules look back over is shorter.
HURRY = 15
CUSTOMERS = 20000

POLICY = """
version = "{version}"
extends = ["courtesy"]
time_zone = "Europe/Paris"

[[caps]]
id = "two-a-month-of-one-campaign"
per = ["campaign"]
limit = 2
window = "rolling 30d"
purposes = ["marketing"]

[[caps]]
id = "one-a-week"
mode = "{mode}"
limit = 1
window = "rolling 7d"
purposes = ["marketing"]

[[follow_ups]]
kind = "complaint"
after = "customer.complained"
within = "4h"
"""

# Who sends what, at how many asks a second on average, and whether it tells what became of it.
Sender = collections.namedtuple("Sender", "name channel purpose delivery rate campaigns words tells")
SENDERS = [
    Sender("mailer", "email", "marketing", "template", 34, ["autumn", "black-friday", "newsletter"], ["Ada, our autumn offers.", "Ada, our autumn offers.", "Thank you for being our most valued customer!"], True),
    Sender("shop", "email", "transactional", "template", 14, [None], ["Your order is on its way."], True),
    Sender("service-desk", "email", "service", "human", 7, [None], ["About your question."], True),
    Sender("sms-gateway", "sms", "marketing", "template", 12, ["black-friday", "flash-sale"], ["Our week's offers.", "Only today: hurry, last chance!"], True),
    Sender("dialler", "voice", "relationship", "synthetic_voice", 9, ["win-back"], ["We have a new tariff for you.", "We care about you."], False),
    Sender("print-shop", "mail", "marketing", "template", 4, ["autumn"], ["Our catalogue for the winter.", "Our catalogue for the winter.", "Urgent information, open at once!"], True),
]


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def hurried(text):
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
    return re.sub(r"\b(\d+)([smhdw])\b", lambda found: f"{max(int(found[1]) * units[found[2]] * 1000 // HURRY, 1)}ms", text)


def ago(hours):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=hours)).isoformat()


class Company:
    """Every process of it; ended by their ids."""

    def __init__(self, program, folder):
        self.program, self.folder, self.running = program, folder, []
        self.redis_port, self.ports, self.prometheus_port = free_port(), [free_port(), free_port()], free_port()
        self.keys = {}
        self.redis = self.start_redis()
        self.policy = folder / "policy.toml"
        self.write_policy("2026-11-21", "shadow")
        (folder / "next.toml").write_text(POLICY.format(version="next", mode="enforce"))
        self.write_settings()
        for place, port in enumerate(self.ports):
            self.start_governor(place, port)
        self.start_prometheus()

    def run(self, *words, **more):
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
        self.running.append(process)
        return process

    def end(self):
        for process in self.running:
            process.kill()
            process.wait()

    def start_redis(self):
        return self.run("redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes",
                        "--dir", str(self.folder))

    def write_policy(self, version, mode):
        self.policy.write_text(POLICY.format(version=version, mode=mode))

    def write_settings(self):
        lines = ["[follow_ups]", 'look_every = "1s"', "[policy]", f'file = "{self.policy}"', "[shadow]", f'policy = "{self.folder / "next.toml"}"', "[keys]"]
        for name in [sender.name for sender in SENDERS] + ["desk", "prometheus"]:
            made = subprocess.run([self.program, "key", "new", "--name", name, "--scopes", "ask,tell,read,admin"],
                                  check=True, capture_output=True, text=True).stdout.splitlines()
            self.keys[name] = made[0]
            lines.append(made[1].replace("{ ", "{ per_second = 4, burst = 8, ", 1) if name == "dialler" else made[1])
        (self.folder / "settings.toml").write_text("\n".join(lines) + "\n")

    def start_governor(self, place, port):
        own = {f"CONTACT_GOVERNOR__{name}": str(value) for name, value in {
            "HTTP__LISTEN": f"127.0.0.1:{port}", "LEDGER__URL": f"redis://127.0.0.1:{self.redis_port}",
            "JOURNAL__DIRECTORY": self.folder / f"journal-{place}", "DECISION_LOG__TO": f"file:{self.folder / f'decisions-{place}'}",
            "DECISION_LOG__SECRET": "0123456789abcdef" * 4, "AUDIT__DIRECTORY": self.folder / f"audit-{place}", "AUDIT__SECRETS": "fedcba9876543210" * 4,
        }.items()}
        self.run(self.program, "serve", "--settings", str(self.folder / "settings.toml"), env={**os.environ, **own})

    def start_prometheus(self):
        shipped = HERE.parent / "prometheus"
        (self.folder / "rules").mkdir()
        for rules in ("recording.yml", "alerts.yml"):
            (self.folder / "rules" / rules).write_text(hurried((shipped / "rules" / rules).read_text()))
        (self.folder / "key").write_text(self.keys["prometheus"])
        # The machine is shared with the load; one that answers late is not down.
        config = hurried((shipped / "prometheus.yml").read_text()).replace("scrape_timeout: 666ms", "scrape_timeout: 1s").replace("# authorization:", "authorization:")
        config = config.replace("#   credentials_file: /etc/prometheus/contact-governor.key", f"  credentials_file: {self.folder / 'key'}")
        (self.folder / "prometheus.yml").write_text(config)
        (self.folder / "targets.yml").write_text("\n".join(f"- targets: ['127.0.0.1:{port}']" for port in self.ports) + "\n")
        self.run("prometheus", f"--config.file={self.folder / 'prometheus.yml'}", f"--storage.tsdb.path={self.folder / 'data'}",
                 f"--web.listen-address=127.0.0.1:{self.prometheus_port}")

    def signal_governors(self):
        for process in self.running:
            if process.args[0] == self.program:
                process.send_signal(signal.SIGHUP)


class Caller:
    """Somebody with a key, who asks one governor after the other."""

    def __init__(self, company, name):
        self.company, self.key, self.turn, self.lines = company, company.keys[name], 0, {}

    def call(self, method, path, body=None):
        self.turn += 1
        port = self.company.ports[self.turn % 2]
        try:
            line = self.lines.setdefault(port, http.client.HTTPConnection("127.0.0.1", port, timeout=10))
            line.request(method, path, json.dumps(body) if body is not None else None,
                         {"content-type": "application/json", "authorization": f"Bearer {self.key}"})
            answer = line.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        except (OSError, http.client.HTTPException, ValueError):
            self.lines.pop(port, None)
            return 0, None

    def tell(self, kind, customer, at=None, **data):
        event = {"specversion": "1.0", "id": f"e-{random.getrandbits(64):x}", "source": "company", "type": kind, "subject": customer, "data": data}
        if at is not None:
            event["time"] = at
        return self.call("POST", "/v1/events", event)


def someone():
    """Some customers are written to far more than others."""
    return f"c-{int(CUSTOMERS * random.random() ** 1.5)}"


def at_pace(rate, until, work):
    """Does something so many times a second, in waves, for as long as it is not over."""
    begun = due = time.monotonic()
    while time.monotonic() < until:
        wave = 1 + 0.45 * math.sin((time.monotonic() - begun) / 23 + rate)
        due = max(due + random.expovariate(rate * wave), time.monotonic() - 0.5)
        time.sleep(max(0, due - time.monotonic()))
        work()


def send(company, sender, until):
    caller = Caller(company, sender.name)
    begun = time.monotonic()

    def ask():
        customer, campaign = someone(), random.choice(sender.campaigns)
        # One campaign asks for the same few again and again.
        if campaign == "flash-sale":
            customer = f"c-{random.randrange(150)}"
        question = {"contact_id": f"m-{random.getrandbits(64):x}", "customer": customer, "channel": sender.channel, "purpose": sender.purpose,
                    "delivery": sender.delivery, "sender": sender.name, "content": {"body": random.choice(sender.words), "addressee": random.choice(["Ada Lovelace", "Ada Lovelace", "current resident"])},
                    "facts": {"time_zone": random.choice(["Europe/Paris", "America/New_York", "Asia/Tokyo", "America/Los_Angeles"])}}
        if campaign:
            question["campaign"] = campaign
        # Somebody's new version has a mistake in it.
        if sender.name == "print-shop" and random.random() < 0.1:
            question["channel"] = "pigeon"
        status, answer = caller.call("POST", "/v1/preflight", question)
        if status == 200 and answer["verdict"] == "allow" and sender.tells:
            kind = "contact.sent" if random.random() < 0.97 else "contact.failed"
            caller.tell(kind, customer, contact_id=question["contact_id"])

    # A black Friday in the middle: for a while the mailer asks much more.
    at_pace(sender.rate, until if sender.name != "mailer" else begun + (until - begun) * 0.3, ask)
    if sender.name == "mailer":
        at_pace(sender.rate * 2.2, begun + (until - begun) * 0.45, ask)
        at_pace(sender.rate, until, ask)


def live(company, until):
    """What customers do."""
    caller = Caller(company, "desk")
    what = [("conversation.opened", 30), ("customer.unsubscribed", 22), ("customer.complained", 16), ("customer.thanked", 12), ("customer.resubscribed", 3)]

    def act():
        kind = random.choices([name for name, _ in what], [weight for _, weight in what])[0]
        caller.tell(kind, someone(), ago(random.expovariate(1 / 5)) if kind != "customer.resubscribed" else None, channel=random.choice(["email", "sms"]), sender=random.choice(SENDERS).name)

    at_pace(3.0, until, act)


def answer(company, until):
    """What people do about it: not quite enough."""
    caller = Caller(company, "desk")

    def reply():
        status, owed = caller.call("GET", "/v1/follow-ups?limit=100")
        if status == 200 and owed.get("follow_ups"):
            one = random.choice(owed["follow_ups"])
            caller.call("POST", f"/v1/follow-ups/{one['id']}/done", {"what": "called back", "by": "ravi"})

    at_pace(3.2, until, reply)


def remember(company):
    """What was sent in the days before."""
    caller = Caller(company, "desk")
    for number in range(4000):
        sender = random.choice(SENDERS[:4])
        caller.tell("contact.sent", someone(), ago(random.uniform(30, 160)), contact_id=f"old-{number}", channel=sender.channel, purpose=sender.purpose,
                    delivery=sender.delivery, sender=sender.name)


def happen(company, begun, seconds):
    """Redis goes away for a while; a policy is changed; another is refused."""
    def wait_for(share):
        time.sleep(max(0, begun + seconds * share - time.monotonic()))

    wait_for(0.52)
    company.redis.kill()
    company.redis.wait()
    wait_for(0.58)
    company.redis = company.start_redis()
    wait_for(0.75)
    company.write_policy("2026-11-26", "enforce")
    company.signal_governors()
    wait_for(0.88)
    company.policy.write_text(company.policy.read_text().replace("limit = 1", "limit = one"))
    company.signal_governors()
    wait_for(0.95)
    company.write_policy("2026-11-26", "enforce")
    company.signal_governors()


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    random.seed(8)
    program, pictures = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2])
    seconds = float(sys.argv[3]) if len(sys.argv) == 4 else 300
    with tempfile.TemporaryDirectory() as folder:
        company = Company(program, pathlib.Path(folder))
        try:
            desk = Caller(company, "desk")
            for _ in range(200):
                if desk.call("GET", "/readyz")[0] == 200:
                    break
                time.sleep(0.1)
            remember(company)
            begun, start = time.monotonic(), time.time()
            until = begun + seconds
            work = [threading.Thread(target=send, args=(company, sender, until)) for sender in SENDERS]
            work += [threading.Thread(target=live, args=(company, until)), threading.Thread(target=answer, args=(company, until)),
                     threading.Thread(target=happen, args=(company, begun, seconds))]
            for thread in work:
                thread.start()
            for thread in work:
                thread.join()
            for name in ("service", "customers-eyes"):
                subprocess.run([sys.executable, str(HERE / "picture.py"), str(HERE / "dashboards" / f"{name}.json"), f"http://127.0.0.1:{company.prometheus_port}",
                                str(start), str(time.time() - 1), str(pictures / f"dashboard-{name}.png")], check=True)
        finally:
            company.end()


if __name__ == "__main__":
    main()
