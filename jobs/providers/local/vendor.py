"""The local provider, as the rest of the project knows it; it needs no key."""

from jobs.providers.vendor import Vendor

VENDOR = Vendor(
    name="local",
    adapter="jobs.providers.local.adapter.LocalSketch",
    switch_setting="LOCAL_PROVIDER",
    shown_settings=("LOCAL_PROVIDER", "LOCAL_CONCURRENCY"),
)
