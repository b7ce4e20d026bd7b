"""Senders that ask without a pause, each at whichever governor answers, and a recount of what they were allowed.

    load.py --seconds 10 --senders 8 --key FILE --customers 50 --cap 3 URL...

Ends with 1 if an ask was answered nowhere, if an answer was cut off, or if a customer was allowed more than the cap. What was
broken off before an answer began is asked again, at the next governor, with the same contact id, as a sender should.
"""

import argparse
import collections
import http.client
import json
import threading
import time
import urllib.parse

parser = argparse.ArgumentParser()
parser.add_argument("urls", nargs="+")
parser.add_argument("--seconds", type=float, default=10)
parser.add_argument("--senders", type=int, default=8)
parser.add_argument("--key")
parser.add_argument("--customers", type=int, default=50)
parser.add_argument("--cap", type=int, default=0, help="what no customer may be allowed more of; 0 does not look")
parser.add_argument("--prefix", default="c")
options = parser.parse_args()

headers = {"content-type": "application/json"}
if options.key:
    with open(options.key) as file:
        headers["authorization"] = "Bearer " + file.read().strip()
# Seconds for which a sender asks again before it gives up on a message.
PATIENCE = 20
until = time.monotonic() + options.seconds
lock = threading.Lock()
counts = collections.Counter()
allowed = collections.defaultdict(set)
slowest = [0.0]


def connect(url):
    return http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=10)


def send(sender):
    place = sender % len(options.urls)
    connection = connect(options.urls[place])
    number = 0
    while time.monotonic() < until:
        number += 1
        customer = f"{options.prefix}-{(sender * 7919 + number) % options.customers}"
        question = {"contact_id": f"m-{sender}-{number}", "customer": customer, "channel": "email",
                    "purpose": "marketing", "delivery": "template"}
        begun = time.monotonic()
        while time.monotonic() - begun < PATIENCE:
            try:
                connection.request("POST", "/v1/preflight", json.dumps(question), headers)
                response = connection.getresponse()
                body = response.read()
                status = response.status
            except http.client.IncompleteRead:
                with lock:
                    counts["cut off"] += 1
                status = 0
            except (OSError, http.client.HTTPException) as error:
                # Refused, or an idle connection that was closed: nothing was answered.
                with lock:
                    counts[f"elsewhere ({type(error).__name__})"] += 1
                status = 0
            if status == 200:
                break
            if status:
                with lock:
                    counts[f"status {status}"] += 1
            connection.close()
            place = (place + 1) % len(options.urls)
            connection = connect(options.urls[place])
            time.sleep(0.02)
        else:
            with lock:
                counts["answered nowhere"] += 1
            continue
        if response.will_close and len(options.urls) > 1:
            # It is about to stop: elsewhere from now on.
            connection.close()
            place = (place + 1) % len(options.urls)
            connection = connect(options.urls[place])
        answer = json.loads(body)
        with lock:
            slowest[0] = max(slowest[0], time.monotonic() - begun)
            counts["answers"] += 1
            counts[answer["verdict"] + (" (blind)" if answer["degraded"] else "")] += 1
            if answer["verdict"] == "allow":
                allowed[customer].add(answer["contact_id"])


threads = [threading.Thread(target=send, args=(sender,)) for sender in range(options.senders)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
most = max((len(contacts) for contacts in allowed.values()), default=0)
print(json.dumps({**counts, "most allowed to one customer": most, "slowest answer, ms": round(slowest[0] * 1000)}))
over = options.cap and most > options.cap
raise SystemExit(1 if counts["answered nowhere"] or counts["cut off"] or over else 0)
