"""How the console's own templates show ids and moments: as its lists do."""

from django import template

from imageskill.lib.admin import shown

register = template.Library()

register.filter("copyable", shown.copyable)
register.filter("moment", shown.moment)
register.filter("span", shown.span)
