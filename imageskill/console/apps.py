"""The console as an app, and as the default admin site."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ConsoleConfig(AppConfig):
    """Pages that join all apps; the `admin` module registers them."""

    name = "imageskill.console"


class SiteConfig(admin_apps.AdminConfig):
    """Django admin with the console's site as its default."""

    default = False
    default_site = "imageskill.console.site.ConsoleSite"
