#!/usr/bin/env python3
"""Writes the dashboards as TypeScript, each part with the type that Grafana gives it, for a compiler to check: `make dashboards`."""

import json
import pathlib

KINDS = ["timeseries", "stat", "bargauge", "table", "heatmap"]
TYPES = "@grafana/schema/dist/types/raw"

print(f'import type {{ Dashboard, FieldConfig, Panel, RowPanel }} from "{TYPES}/dashboard/x/types.gen";')
for kind in KINDS:
    print(f'import type * as {kind} from "{TYPES}/composable/{kind}/panelcfg/x/types.gen";')
# Grafana's enums are written in JSON as the texts they stand for.
print("type Written<T> = T extends string ? `${T}` | T : T extends number ? T : T extends Array<infer U> ? Array<Written<U>>"
      " : T extends object ? { [K in keyof T]: Written<T[K]> } : T;")


def without(value, *names):
    return {name: member for name, member in value.items() if name not in names}


def declare(name, kind, value):
    print(f"export const {name}: Written<{kind}> = {json.dumps(value)};")


for place, file in enumerate(sorted(pathlib.Path(__file__).parent.glob("dashboards/*.json"))):
    dashboard = json.loads(file.read_text())
    # Queries belong to the data source, and variables and annotations have types that leave them open.
    declare(f"d{place}", "Omit<Dashboard, 'panels' | 'templating' | 'annotations'>", without(dashboard, "panels", "templating", "annotations"))
    for panel in dashboard["panels"]:
        name, kind = f"d{place}p{panel['id']}", panel["type"]
        if kind == "row":
            declare(name, "RowPanel", panel)
            continue
        defaults = panel["fieldConfig"]["defaults"]
        declare(name, "Omit<Panel, 'fieldConfig' | 'targets'>", without(panel, "fieldConfig", "targets"))
        declare(f"{name}options", f"Partial<{kind}.Options>", panel["options"])
        declare(f"{name}defaults", "FieldConfig", without(defaults, "custom", "mappings", "thresholds"))
        if "custom" in defaults:
            declare(f"{name}custom", f"Partial<{kind}.FieldConfig>", defaults["custom"])
