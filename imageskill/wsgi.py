"""The entry point for a WSGI server."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from imageskill.lib import queue
from imageskill.web import request_bodies
from jobs import registry

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imageskill.settings")
application = request_bodies.ReadBodies(get_wsgi_application())
# What is loaded at its first use would hold up the first callers, and all at once while events
# come in: pages and endpoints take seconds on a busy machine. What is broken stops the start.
registry.load()
get_resolver().url_patterns  # noqa: B018 - reading it loads the modules
queue.open_broker()
