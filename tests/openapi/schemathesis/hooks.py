"""What the document cannot say to a machine: what its own formats look like, and how moments lie to one another."""

import json
from datetime import datetime, timedelta, timezone

import schemathesis
from hypothesis import strategies as st


def written(moment):
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


NOW = datetime.now(timezone.utc)

# The formats of `examples/openapi/document/shape.rs`.
for name, texts in {
    "time-zone": ["America/New_York", "Europe/London", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"],
    "cel": ["", "true", "facts.purchases >= 10", "years_since(facts.born) >= 18 && has(facts.kind)"],
    "window": ["rolling 7d", "rolling 36h", "rolling 90s", "calendar day", "calendar year", "local 30 days", "lifetime"],
    "open-range": ["00:00-24:00", "09:00-20:00", "23:59-24:00"],
    "date-or-date-time": ["2026-01-01", "2026-01-01T00:00:00Z", "2026-01-01T12:34:56.789+05:30"],
}.items():
    schemathesis.openapi.format(name, st.sampled_from(texts))

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def is_moment(value):
    try:
        return isinstance(value, str) and "T" in value.upper() and datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return False


def days_of(key):
    first, _, last = key.partition("-")
    if first not in DAYS or (last or first) not in DAYS:
        return None
    begin = DAYS.index(first)
    return {(begin + step) % 7 for step in range((DAYS.index(last or first) - begin) % 7 + 1)}


def without_a_day_twice(hours):
    taken, kept = set(), {}
    for key, ranges in hours.items():
        days = days_of(key)
        if days is None or not days & taken:
            kept[key] = ranges
            taken |= days or set()
    return kept


def mended(body):
    """The body with its moments where a shape cannot put them; what is wrong in another way stays wrong."""
    if not isinstance(body, dict):
        return body
    body = dict(body)
    for member, ahead in {"send_at": timedelta(hours=1), "deadline": timedelta(days=60), "time": timedelta(0)}.items():
        if is_moment(body.get(member)):
            body[member] = written(NOW + ahead)
    if isinstance(body.get("hours"), dict):
        body["hours"] = without_a_day_twice(body["hours"])
    return body


@schemathesis.hook
def before_call(context, case, kwargs):
    body = [mended(one) for one in case.body] if isinstance(case.body, list) else mended(case.body)
    # A body that is set is looked at anew; one that is as it was need not be.
    if body != case.body:
        case.body = body


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    text = value if isinstance(value, str) else json.dumps(value)
    return {"data": text.encode("utf-8", errors="surrogatepass")}


@schemathesis.deserializer("application/x-ndjson")
def read_lines(context, response):
    return response.text


@schemathesis.serializer("application/toml")
def as_it_is(ctx, value):
    """A policy is text; whoever makes one up makes up text."""
    return str(value).encode("utf-8", "replace")
