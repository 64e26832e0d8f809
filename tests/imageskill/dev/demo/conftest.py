"""Look at what the demo made as staff do."""

from tests.imageskill.console.conftest import signed_in

__all__ = ["signed_in"]
