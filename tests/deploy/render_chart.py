"""Render the chart by Helm's own engine and hold it against Kubernetes' schemas.

For an interpreter that has the packages `helm-python-sdk` and `kubernetes-validate`; prints the
objects of each case as JSON: `python render_chart.py CHART CASES [CRD …]`.
"""

import json
import sys
from pathlib import Path

import helm_python
import jsonschema
import kubernetes_validate
import yaml

VERSIONS = ("1.29", "1.36")


def main() -> None:
    chart_folder, cases, *definitions = sys.argv[1:]
    schemas = {kind: schema for file in definitions for kind, schema in schema_of(file).items()}
    rendered = {}
    with helm_python.Chart.load(chart_folder) as chart:
        for name, values in json.loads(cases).items():
            texts = chart.render(values, name="imageskill", namespace="production")
            rendered[name] = [
                item
                for file, text in texts.items()
                if file.endswith(".yaml")
                for item in yaml.safe_load_all(text)
                if item
            ]
    for item in (item for items in rendered.values() for item in items):
        validate(item, schemas)
    sys.stdout.write(json.dumps(rendered))


def schema_of(file: str) -> dict[str, dict]:
    definition = yaml.safe_load(Path(file).read_text())["spec"]
    [version] = [it for it in definition["versions"] if it["storage"]]
    return {definition["names"]["kind"]: version["schema"]["openAPIV3Schema"]}


def validate(item: dict, schemas: dict[str, dict]) -> None:
    if item["apiVersion"].startswith("keda.sh/"):
        if item["kind"] in schemas:
            jsonschema.validate(item, schemas[item["kind"]])
        return
    for version in VERSIONS:
        kubernetes_validate.validate(item, version, strict=True)


if __name__ == "__main__":
    main()
