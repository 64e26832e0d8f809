"""The console as an app, and as the default admin site."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ConsoleConfig(AppConfig):
    """Pages that look at all apps at once; its `admin` module registers them."""

    name = "imageskill.console"


class SiteConfig(admin_apps.AdminConfig):
    """Django admin with our site."""

    default = False
    default_site = "imageskill.console.site.ConsoleSite"
