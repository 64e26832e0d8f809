from tests.imageskill.cli.conftest import client, hosted

__all__ = ["client", "hosted"]
