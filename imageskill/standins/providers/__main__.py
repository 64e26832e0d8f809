"""`python -m imageskill.standins.providers --url-file FILE`."""

from imageskill.standins.providers.house import Providers, settings
from imageskill.standins.server import main

main(Providers(), settings)
