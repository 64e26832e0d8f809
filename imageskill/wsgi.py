"""The entry point for a WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

from imageskill.web import request_bodies
from jobs import registry

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imageskill.settings")
application = request_bodies.ReadBodies(get_wsgi_application())
registry.load()  # a broken row stops the start, and the first caller does not wait for it
