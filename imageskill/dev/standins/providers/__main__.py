"""`python -m imageskill.dev.standins.providers --url-file FILE`."""

from imageskill.dev.standins.providers.server import Providers, settings
from imageskill.dev.standins.server import main

main(Providers(), settings)
