"""`python -m imageskill.dev.standins.providers --url-file FILE`."""

from imageskill.dev.standins.providers.server import ProvidersStandIn, settings
from imageskill.dev.standins.server import main

main(ProvidersStandIn(), settings)
