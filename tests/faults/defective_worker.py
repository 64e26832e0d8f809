"""A defect in a worker's event loop, for `celery worker --include`."""

from celery.signals import worker_ready


def fail():
    raise AttributeError("a defect")


@worker_ready.connect
def break_down(sender, **_):
    sender.hub.call_soon(fail)
