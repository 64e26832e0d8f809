"""Doing an action of the console as a person does: open its form, fill it in, send it."""

from django.test import Client
from django.urls import reverse


def action_url(model: str, thing, action: str) -> str:
    return reverse(f"admin:{model}_action", args=[thing.pk, action])


def do(browser: Client, model: str, thing, action: str, **fields):
    """Send an action's form; with `preview` only ask what would happen."""
    url = action_url(model, thing, action)
    asked = browser.get(url).context_data
    form = {"seen": asked["seen"], "key": asked["key"], "reason": "because"}
    return browser.post(url, form | fields, follow="preview" not in fields)
