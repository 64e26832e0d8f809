"""Stripe's form encoding: `line_items[0][price_data][currency]=usd` and back into a tree."""

import re
from typing import Any
from urllib.parse import parse_qsl

_PART = re.compile(r"\[([^\]]*)\]")


def parse(encoded: str) -> dict[str, Any]:
    """Read a form or query into nested dicts and lists."""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        head = name.partition("[")[0]
        _set_path(tree, [head, *_PART.findall(name)], value)
    return {name: _dicts_to_lists(value) for name, value in tree.items()}


def leaf_paths(tree: Any, prefix: str = "") -> set[str]:
    """Return the dotted names of all leaves, list places as `*`: what a request names."""
    if isinstance(tree, dict):
        return {
            path
            for name, value in tree.items()
            for path in leaf_paths(value, f"{prefix}.{name}" if prefix else name)
        }
    if isinstance(tree, list):
        return {path for value in tree for path in leaf_paths(value, f"{prefix}.*")}
    return {prefix}


def _set_path(tree: dict[str, Any], path: list[str], value: str) -> None:
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
    tree[path[-1]] = value


def _dicts_to_lists(value: Any) -> Any:
    """Turn dicts whose names are all numbers (or empty, as in `expand[]`) into lists."""
    if not isinstance(value, dict):
        return value
    children = {name: _dicts_to_lists(child) for name, child in value.items()}
    if children and all(name.isdigit() or name == "" for name in children):
        return [children[name] for name in sorted(children, key=lambda name: int(name or 0))]
    return children
