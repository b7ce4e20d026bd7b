#!/usr/bin/env python3
"""Draws a dashboard much as Grafana would: reads its JSON, puts its queries to a Prometheus, and writes one page of SVG.

No part of Grafana: only what the dashboards beside this file use is drawn. Usage:

    picture.py DASHBOARD.json PROMETHEUS_URL FROM TO OUT.png      (FROM, TO: seconds since 1970)
"""

import html
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

WIDTH, COLUMNS, ROW, GAP = 1500, 24, 30, 8
INK, FAINT, PAPER, PANEL, EDGE = "#ccccdc", "#8e8e9d", "#111217", "#181b1f", "#2a2d33"
NAMED = {"green": "#73BF69", "yellow": "#F2CC0C", "red": "#F2495C", "blue": "#5794F2", "orange": "#FF9830", "purple": "#B877D9", "text": INK}
CLASSIC = ["#73BF69", "#F2CC0C", "#8AB8FF", "#FF780A", "#F2495C", "#5794F2", "#B877D9", "#705DA0", "#37872D", "#FADE2A", "#447EBC", "#C15C17",
           "#E0752D", "#0A95A8", "#C8F2C2", "#FFB357"]
SCHEMES = {"Oranges": ((24, 27, 31), (255, 152, 48)), "Blues": ((24, 27, 31), (87, 148, 242))}


class Prometheus:
    """Answers queries about one span of time."""

    def __init__(self, url, start, end):
        self.url, self.start, self.end = url, start, end
        self.step = max(1, round((end - start) / 240))
        self.variables = {"$__rate_interval": f"{max(10, 4 * self.step)}s", "$__range": f"{int(end - start)}s",
                          "$job": "contact-governor", "$instance": ".*"}

    def _ask(self, path, **query):
        for name, value in self.variables.items():
            query["query"] = query["query"].replace(name, value)
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}") as answer:
            return json.load(answer)["data"]["result"]

    def now(self, expr):
        return [(found["metric"], number(found["value"][1])) for found in self._ask("query", query=expr, time=self.end)]

    def lines(self, expr):
        found = self._ask("query_range", query=expr, start=self.start, end=self.end, step=self.step)
        return [(one["metric"], [(float(at), number(value)) for at, value in one["values"]]) for one in found]


def number(text):
    value = float(text)
    return None if math.isnan(value) or math.isinf(value) else value


def text(x, y, words, size=11, colour=INK, anchor="start", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" '
            f'font-weight="{weight}">{html.escape(str(words))}</text>')


def rect(x, y, w, h, fill, extra=""):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(w, 0):.1f}" height="{max(h, 0):.1f}" fill="{fill}" {extra}/>'


def short(value):
    for bound, name in ((1e9, " Bil"), (1e6, " Mil"), (1e3, " K")):
        if abs(value) >= bound:
            return f"{value / bound:.3g}{name}"
    return f"{value:.3g}" if value else "0"


def duration(value):
    if value == 0:
        return "0 s"
    for size, name in ((31536000, "years"), (604800, "weeks"), (86400, "days"), (3600, "hours"), (60, "mins"), (1, "s"), (1e-3, "ms")):
        if abs(value) >= size:
            return f"{value / size:.3g} {name}"
    return f"{value * 1e6:.3g} µs"


def shown(value, unit, decimals=None):
    """A value with its unit, as people read it."""
    if value is None:
        return "No data"
    if unit == "percentunit":
        return f"{value * 100:.{decimals if decimals is not None else (1 if 0 < value < 0.1 else 0)}f}%"
    if unit == "s":
        return duration(value)
    if unit == "dateTimeFromNow":
        return f"{duration(time.time() - value / 1000)} ago"
    if unit == "bytes":
        return f"{value / 1048576:.3g} MiB"
    amount = f"{value:,.{decimals}f}" if decimals is not None and value < 1000 else short(value)
    return amount + {"reqps": " req/s", "ops": " ops/s"}.get(unit, "")


def name_of(metric, legend):
    words = legend
    for label, value in metric.items():
        words = words.replace("{{%s}}" % label, value)
    return words if words.strip() else "(nameless)"


def threshold_colour(thresholds, value):
    colour = thresholds["steps"][0]["color"]
    for step in thresholds["steps"][1:]:
        if value is not None and value >= step["value"]:
            colour = step["color"]
    return NAMED.get(colour, colour)


def mapped(mappings, value):
    for mapping in mappings:
        option = mapping["options"].get(f"{value:g}") if value is not None else None
        if option:
            return option["text"], NAMED[option["color"]]
    return None


SPANS = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800]


def ticks(top, unit, count=4):
    """Round marks from nought to `top`."""
    if top <= 0:
        return [0, 1]
    step = top / count
    if unit == "bytes":
        step = 2 ** math.ceil(math.log2(step))
        return [step * mark for mark in range(int(math.ceil(top / step)) + 1)]
    if unit == "s" and 2 < step <= SPANS[-1]:
        step = next(span for span in SPANS if span >= step)
        return [step * mark for mark in range(int(math.ceil(top / step)) + 1)]
    size = 10 ** math.floor(math.log10(step))
    step = next(size * times for times in (1, 2, 2.5, 5, 10) if size * times >= step)
    return [step * mark for mark in range(int(math.ceil(top / step - 1e-9)) + 1)]


class Panel:
    """One panel, drawn into a box of its own."""

    def __init__(self, panel, prometheus):
        self.panel, self.prometheus = panel, prometheus
        place = panel["gridPos"]
        column = (WIDTH - GAP) / COLUMNS
        self.x, self.y = GAP + place["x"] * column, place["y"] * (ROW + GAP)
        self.w, self.h = place["w"] * column - GAP, place["h"] * (ROW + GAP) - GAP
        config = panel.get("fieldConfig", {"defaults": {}, "overrides": []})
        self.defaults, self.overrides = config["defaults"], config["overrides"]
        self.unit, self.decimals = self.defaults.get("unit", "short"), self.defaults.get("decimals")

    def draw(self):
        if self.panel["type"] == "row":
            body = text(6, 21, "▾ " + self.panel["title"], 15, INK, weight="600")
            return f'<g transform="translate({self.x:.1f},{self.y:.1f})">{body}</g>'
        inside = getattr(self, self.panel["type"])()
        frame = rect(0, 0, self.w, self.h, PANEL, f'rx="3" stroke="{EDGE}"') + text(10, 19, self.panel["title"], 13, INK, weight="500")
        clip = f'<svg width="{self.w:.1f}" height="{self.h:.1f}" overflow="hidden">{frame}{inside}</svg>'
        return f'<g transform="translate({self.x:.1f},{self.y:.1f})">{clip}</g>'

    def fixed_colour(self, name):
        for override in self.overrides:
            if override["matcher"]["options"] == name:
                for found in override["properties"]:
                    if found["id"] == "color":
                        return NAMED[found["value"]["fixedColor"]]
        return None

    def instants(self):
        found = []
        for target in self.panel["targets"]:
            for metric, value in self.prometheus.now(target["expr"]):
                found.append((name_of(metric, target["legendFormat"]), value))
        return found

    def series(self):
        found = []
        for target in self.panel["targets"]:
            for metric, points in self.prometheus.lines(target["expr"]):
                found.append((name_of(metric, target["legendFormat"]), points))
        return found

    def nothing(self):
        words = self.defaults.get("noValue", "No data")
        return text(self.w / 2, self.h / 2 + 10, words, 15, FAINT, "middle")

    def timeseries(self):
        series = self.series()
        if not series:
            return self.nothing()
        custom = self.defaults.get("custom", {})
        stacking, bars = custom["stacking"]["mode"], custom["drawStyle"] == "bars"
        steps = int((self.prometheus.end - self.prometheus.start) / self.prometheus.step) + 1
        grid = []
        for name, points in series:
            row = [None] * steps
            for at, value in points:
                place = round((at - self.prometheus.start) / self.prometheus.step)
                if 0 <= place < steps:
                    row[place] = value
            grid.append((name, row))
        totals = [sum(row[i] or 0 for _, row in grid) for i in range(steps)]
        if stacking == "percent":
            grid = [(name, [None if v is None or not totals[i] else v / totals[i] for i, v in enumerate(row)]) for name, row in grid]
            top = 1.0
        elif stacking == "normal":
            top = max(totals)
        else:
            top = max((v for _, row in grid for v in row if v is not None), default=0)
        unit = "percentunit" if stacking == "percent" else self.unit
        marks = ticks(max(top, self.defaults.get("max", 0)), unit)
        if stacking == "percent":
            marks = [0, 0.25, 0.5, 0.75, 1]
        peak = marks[-1]
        left, bottom, above = 62, 48, 32
        wide, high = self.w - left - 12, self.h - above - bottom
        spot = lambda i, v: (left + wide * i / max(steps - 1, 1), above + high * (1 - v / peak))
        out = []
        for mark in marks:
            y = above + high * (1 - mark / peak)
            out.append(f'<line x1="{left}" x2="{left + wide:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{EDGE}"/>')
            out.append(text(left - 6, y + 4, shown(mark, unit), 10, FAINT, "end"))
        out.append(self.clock(left, wide, above + high + 14))
        floor = [0.0] * steps
        colours = [self.fixed_colour(name) or CLASSIC[i % len(CLASSIC)] for i, (name, _) in enumerate(grid)]
        fill = custom["fillOpacity"] / 100
        for (name, row), colour in zip(grid, colours):
            base = list(floor) if stacking != "none" else [0.0] * steps
            runs, run = [], []
            for i, value in enumerate(row):
                if value is None:
                    if run:
                        runs.append(run)
                    run = []
                    continue
                run.append((i, base[i] + value, base[i]))
                if stacking != "none":
                    floor[i] = base[i] + value
            if run:
                runs.append(run)
            for run in runs:
                if bars:
                    one = max(1.0, wide / steps - 0.5)
                    for i, value, under in run:
                        (x, y), (_, y0) = spot(i, value), spot(i, under)
                        out.append(rect(x - one / 2, y, one, y0 - y, colour, f'opacity="{fill}"'))
                    continue
                line = " ".join("%.1f,%.1f" % spot(i, value) for i, value, _ in run)
                under = " ".join("%.1f,%.1f" % spot(i, under) for i, _, under in reversed(run))
                out.append(f'<polygon points="{line} {under}" fill="{colour}" opacity="{fill}"/>')
                out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.4"/>')
        out.append(self.legend([name for name, _ in grid], colours))
        return "".join(out)

    def clock(self, left, wide, y):
        parts = 4 if wide > 380 else 2 if wide > 200 else 1
        out = []
        for part in range(parts + 1):
            at = self.prometheus.start + (self.prometheus.end - self.prometheus.start) * part / parts
            anchor = "start" if part == 0 else "end" if part == parts else "middle"
            out.append(text(left + wide * part / parts, y, time.strftime("%H:%M:%S", time.localtime(at)), 10, FAINT, anchor))
        return "".join(out)

    def legend(self, names, colours):
        x, y, out, lines = 14.0, self.h - 22.0, [], 1
        for i, (name, colour) in enumerate(zip(names, colours)):
            width = 26 + 6.4 * len(name)
            if x + width > self.w - 8 and x > 14:
                if lines == 2:
                    out.append(text(self.w - 8, y, f"+{len(names) - i}", 11, FAINT, "end"))
                    break
                x, y, lines = 14.0, y + 15, lines + 1
            out.append(rect(x, y - 4, 12, 3, colour) + text(x + 16, y, name, 11, INK))
            x += width
        return "".join(out)

    def stat(self):
        options = self.panel["options"]
        if self.panel["targets"][0].get("instant"):
            values = [(name, value, None) for name, value in self.instants()]
        else:
            values = [(name, next((v for _, v in reversed(points) if v is not None), None), points) for name, points in self.series()]
        values = [found for found in values if found[1] is not None]
        if not values:
            return text(self.w / 2, self.h / 2 + 18, self.defaults.get("noValue", "No data"), 24, FAINT, "middle")
        out, high = [], (self.h - 30) / len(values)
        for place, (name, value, points) in enumerate(values):
            middle = 28 + high * (place + 0.5)
            special = mapped(self.defaults.get("mappings", []), value)
            words, colour = special or (shown(value, self.unit, self.decimals), threshold_colour(self.defaults["thresholds"], value))
            if options["textMode"] == "name":
                words, colour = name, INK
            if points and options["graphMode"] == "area" and len(points) > 1:
                top = max((v or 0) for _, v in points) or 1
                reach = self.prometheus.end - self.prometheus.start
                line = " ".join(f"{self.w * (at - self.prometheus.start) / reach:.1f},{self.h - (self.h * 0.38) * ((v or 0) / top):.1f}" for at, v in points)
                first, last = line.split(" ")[0].split(",")[0], line.split(" ")[-1].split(",")[0]
                out.append(f'<polygon points="{first},{self.h} {line} {last},{self.h}" fill="{colour}" opacity="0.18"/>')
                out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.2" opacity="0.7"/>')
            size = min(34, high * 0.5, 1.7 * (self.w - 16) / max(len(words), 1))
            if options["textMode"] == "value_and_name":
                out.append(text(self.w / 2, middle - size * 0.25, name, 11, FAINT, "middle"))
                out.append(text(self.w / 2, middle + size * 0.75, words, min(size, 22), colour, "middle", "600"))
            else:
                out.append(text(self.w / 2, middle + size * 0.35, words, size, colour, "middle", "600"))
        return "".join(out)

    def bargauge(self):
        values = [(name, value) for name, value in self.instants() if value is not None]
        if not values:
            return self.nothing()
        values.sort(key=lambda found: -found[1])
        top = self.defaults.get("max") or max(value for _, value in values) or 1
        high = min(34, (self.h - 40) / len(values))
        label = min(self.w * 0.5, 16 + 7.2 * max(len(name) for name, _ in values))
        end, out = 74, []
        for place, (name, value) in enumerate(values):
            y = 32 + place * high
            colour = threshold_colour(self.defaults["thresholds"], value)
            wide = self.w - label - end - 16
            out.append(text(10, y + high * 0.62, name, 12))
            out.append(rect(label + 6, y + 2, wide, high - 6, "#22252b", 'rx="2"'))
            out.append(rect(label + 6, y + 2, wide * min(value / top, 1), high - 6, colour, 'rx="2" opacity="0.8"'))
            out.append(text(self.w - 10, y + high * 0.62, shown(value, self.unit, self.decimals), 12, colour, "end", "600"))
        return "".join(out)

    def table(self):
        rows = {}
        for target in self.panel["targets"]:
            many = len(self.panel["targets"]) > 1
            for metric, value in self.prometheus.now(target["expr"]):
                key = tuple(sorted((k, v) for k, v in metric.items() if k != "__name__"))
                rows.setdefault(key, dict(metric))[f"Value #{target['refId']}" if many else "Value"] = value
        organize = next(t["options"] for t in self.panel["transformations"] if t["id"] == "organize")
        names = {k: v for k, v in organize["renameByName"].items() if not organize["excludeByName"].get(k)}
        order = sorted(names, key=lambda key: organize["indexByName"].get(key, 99))
        kept = [row for row in rows.values() if all(key in row for key in order)]
        if not kept:
            return self.nothing()
        sort = self.panel["options"].get("sortBy")
        if sort:
            key = next(k for k in order if names[k] == sort[0]["displayName"])
            kept.sort(key=lambda row: row[key] if row[key] is not None else 0, reverse=sort[0]["desc"])
        settings = {o["matcher"]["options"]: {p["id"]: p["value"] for p in o["properties"]} for o in self.overrides}
        # The first column holds the longest words.
        first = (self.w - 20) * (0.4 if len(order) > 3 else 1 / len(order))
        column, out = (self.w - 20 - first) / max(len(order) - 1, 1), []
        edge = [10] + [10 + first + place * column for place in range(len(order) - 1)]
        for place, key in enumerate(order):
            out.append(text(edge[place], 44, names[key], 12, "#6e9fff", weight="600"))
        for line, row in enumerate(kept):
            y = 66 + line * 21
            if y > self.h - 6:
                break
            out.append(f'<line x1="8" x2="{self.w - 8:.1f}" y1="{y - 15}" y2="{y - 15}" stroke="{EDGE}"/>')
            for place, key in enumerate(order):
                value, own = row[key], settings.get(names[key], {})
                words = value if isinstance(value, str) else shown(value, own.get("unit", "short"), own.get("decimals"))
                x, colour = edge[place], INK
                if own.get("custom.cellOptions", {}).get("type") == "gauge" and value is not None:
                    colour = threshold_colour(own["thresholds"], value)
                    out.append(rect(x + 62, y - 11, (column - 80) * min(value, 1), 12, colour, 'opacity="0.7" rx="2"'))
                out.append(text(x, y, words, 12, colour))
        return "".join(out)

    def heatmap(self):
        buckets = []
        for metric, points in self.prometheus.lines(self.panel["targets"][0]["expr"]):
            buckets.append((float(metric["le"].replace("+Inf", "inf")), dict(points)))
        buckets.sort(key=lambda found: found[0])
        moments = sorted({at for _, points in buckets for at in points})
        cells, below = [], {}
        for bound, points in buckets:
            cells.append((bound, {at: max((points.get(at) or 0) - below.get(at, 0), 0) for at in moments}))
            below = {at: points.get(at) or 0 for at in moments}
        used = [i for i, (_, row) in enumerate(cells) if any(value > 0.05 for value in row.values())]
        if not used:
            return self.nothing()
        cells = cells[max(min(used) - 1, 0):min(max(used) + 2, len(cells))]
        top = max(value for _, row in cells for value in row.values())
        cold, hot = SCHEMES[self.panel["options"]["color"]["scheme"]]
        left, bottom, above = 62, 30, 32
        wide, high = self.w - left - 12, self.h - above - bottom
        one, tall, out = wide / len(moments), high / len(cells), []
        unit = self.panel["options"]["yAxis"]["unit"]
        for place, (bound, row) in enumerate(cells):
            y = above + high - (place + 1) * tall
            label = "more" if math.isinf(bound) else shown(bound, unit)
            if tall > 9 or place % 2 == 0:
                out.append(text(left - 6, y + tall / 2 + 4, label, 10, FAINT, "end"))
            for i, at in enumerate(moments):
                if row[at] > 0.05:
                    share = (row[at] / top) ** 0.5
                    colour = "rgb(%d,%d,%d)" % tuple(c + (h - c) * share for c, h in zip(cold, hot))
                    out.append(rect(left + i * one, y + 0.5, one + 0.3, tall - 1, colour))
        out.append(self.clock(left, wide, self.h - 12))
        return "".join(out)


def page(dashboard, prometheus):
    """The whole dashboard as HTML, and its height."""
    panels = [Panel(panel, prometheus) for panel in dashboard["panels"]]
    head = 52
    height = int(head + max(panel.y + panel.h for panel in panels) + GAP)
    span = " to ".join(time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at)) for at in (prometheus.start, prometheus.end))
    title = text(GAP + 6, 33, dashboard["title"], 19, "#ffffff", weight="600") + text(WIDTH - GAP - 6, 33, span, 12, FAINT, "end")
    drawn = "".join(panel.draw() for panel in panels)
    body = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}">{title}<g transform="translate(0,{head})">{drawn}</g></svg>'
    style = f"html,body{{margin:0;background:{PAPER}}}text{{font-family:Inter,'DejaVu Sans',Arial,sans-serif}}svg{{display:block}}"
    return f"<!doctype html><meta charset=utf-8><style>{style}</style>{body}", height


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    dashboard = json.loads(pathlib.Path(sys.argv[1]).read_text())
    prometheus = Prometheus(sys.argv[2].rstrip("/"), float(sys.argv[3]), float(sys.argv[4]))
    drawn, height = page(dashboard, prometheus)
    with tempfile.TemporaryDirectory() as folder:
        written = pathlib.Path(folder, "page.html")
        written.write_text(drawn)
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}/profile",
                        f"--window-size={WIDTH},{height}", f"--screenshot={pathlib.Path(sys.argv[5]).resolve()}", written.as_uri()],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
