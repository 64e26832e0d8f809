"""`python -m imageskill.cli` is `image-skill`."""

from imageskill.cli.main import main

main()
