"""The provider that runs on this machine and needs no key."""

from jobs.providers.vendor import Vendor

VENDOR = Vendor(
    name="local",
    adapter="jobs.providers.local.adapter.LocalSketch",
    switch_setting="LOCAL_PROVIDER",
    shown_settings=("LOCAL_PROVIDER", "LOCAL_CONCURRENCY"),
)
