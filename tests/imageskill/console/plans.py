"""How PostgreSQL would run the statements of a page, and which of them read too much."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

LARGE = 5000  # rows
MOST_STATEMENTS = 25
_SCANS = {"Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan"}


@dataclass
class Seen:
    """The statements of a page, and what is wrong with them."""

    statements: int = 0
    problems: list[str] = field(default_factory=list)


def large_tables() -> dict[str, float]:
    """Return the tables that are large by now, with their rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reltuples FROM pg_class WHERE relkind = 'r' AND reltuples >= %s",
            [LARGE],
        )
        return dict(cursor.fetchall())


@contextmanager
def watched(large: dict[str, float]) -> Iterator[Seen]:
    """Explain each SELECT just before it runs."""
    seen = Seen()
    with connection.execute_wrapper(_Explainer(seen, large)):
        yield seen


class _Explainer:
    def __init__(self, seen: Seen, large: dict[str, float]) -> None:
        self.seen, self.large, self.is_busy = seen, large, False
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT indexrelid::regclass::text FROM pg_index WHERE indpred IS NOT NULL"
            )
            self.partial = {name for (name,) in cursor.fetchall()}  # short, however long the table

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not self.is_busy and not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            self.seen.statements += 1
            if sql.lstrip("( ").startswith("SELECT"):
                self._explain(sql, params)
        return execute(sql, params, many, context)

    def _explain(self, sql: str, params: Any) -> None:
        self.is_busy = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
                found = cursor.fetchone()[0]
        finally:
            self.is_busy = False
        plan = json.loads(found) if isinstance(found, str) else found
        for node, limit in _nodes(plan[0]["Plan"], None):
            if problem := self._problem(node, limit):
                self.seen.problems.append(f"{problem}\n    {sql[:1500]} {params}")

    def _problem(self, node: dict[str, Any], limit: float | None) -> str | None:
        rows = self.large.get(node.get("Relation Name", ""))
        if rows is None or node["Node Type"] not in _SCANS or "Index Cond" in node:
            return None
        if node["Node Type"] == "Bitmap Heap Scan" or node.get("Index Name") in self.partial:
            return None
        if "Filter" not in node:
            read = rows if limit is None else limit
        else:
            read = rows if limit is None else rows * min(1, limit / max(node["Plan Rows"], 1))
        if read <= rows / 2:
            return None
        return f"{node['Node Type']} reads {read:,.0f} rows of {node['Relation Name']}"


def _nodes(
    node: dict[str, Any], limit: float | None
) -> Iterator[tuple[dict[str, Any], float | None]]:
    """Walk a plan; with each node goes the limit that holds for it, where its rows just stream."""
    yield node, limit
    kind = node["Node Type"]
    if kind == "Limit":
        limit = node["Plan Rows"]
    elif kind in {"Sort", "Aggregate", "Hash", "Materialize"}:
        limit = None
    for number, child in enumerate(node.get("Plans", ())):
        # The inner side of a loop is looked at once for each outer row, whatever the limit.
        is_inner = child.get("Parent Relationship") == "Inner" or number > 0
        if kind == "Merge Join" and child["Node Type"] in {"Index Scan", "Index Only Scan"}:
            continue  # ends where the other side does, or it would not have been chosen
        yield from _nodes(child, None if is_inner else limit)
