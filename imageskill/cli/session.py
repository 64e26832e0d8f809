"""One run of the client: its environment, streams, server and token."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, TextIO
from urllib.parse import urlsplit

from imageskill.cli import config
from imageskill.cli.addresses import API_URL
from imageskill.cli.errors import ConfigWriteFailed, InvalidCommandLine, TokenRequired
from imageskill.cli.grammar import writing
from imageskill.cli.grammar.reading import Call


class ResolvedToken(NamedTuple):
    """A token and where it came from: stdin, flag, env or config."""

    text: str
    source: str


class Session:
    """One run of a command."""

    def __init__(self, call: Call, environment: Mapping[str, str] = os.environ) -> None:
        self.call = call
        self.environment = environment
        self.config_path = config.path(environment)
        self.config = config.read(self.config_path)
        self._stdin_token: str | None = None

    @property
    def api(self) -> str:
        """The origin of the server: --api-base-url, environment, config file, default."""
        chosen = (
            self.call.given.get("api-base-url")
            or self.environment.get("IMAGE_SKILL_API_BASE_URL")
            or self.config.api_base_url
            or API_URL
        )
        return parse_origin(str(chosen))

    def token(self, *, is_required: bool) -> ResolvedToken | None:
        """Find the token: --token-stdin, --token, environment, config; raises TokenRequired."""
        explicit = self.explicit_token()
        if explicit:
            return explicit
        saved = self.config.token
        if saved and parse_origin(self.config.api_base_url or API_URL) == self.api:
            return ResolvedToken(saved, "config")
        if is_required and saved:
            raise TokenRequired(
                "The saved token belongs to another server and is not sent to this one. Sign up "
                "here, or pass a token by IMAGE_SKILL_TOKEN or --token-stdin."
            )
        if is_required:
            raise TokenRequired(
                "This needs a token: sign up, set IMAGE_SKILL_TOKEN, or pass --token-stdin."
            )
        return None

    def explicit_token(self, *, with_environment: bool = True) -> ResolvedToken | None:
        """Find a token that was passed to this run, the config file aside."""
        if self.call.is_on("token-stdin"):
            return ResolvedToken(self._token_from_stdin(), "stdin")
        if self.call.given.get("token"):
            return ResolvedToken(self.call.given["token"].strip(), "flag")
        if with_environment:
            for name in ("IMAGE_SKILL_TOKEN", "IMAGE_SKILL_HOSTED_TOKEN"):
                if text := self.environment.get(name, "").strip():
                    return ResolvedToken(text, "env")
        return None

    def _token_from_stdin(self) -> str:
        if self._stdin_token is None:
            if sys.stdin is None or sys.stdin.isatty():
                raise InvalidCommandLine(
                    "--token-stdin needs the token piped in.", required_flag="--token-stdin"
                )
            self._stdin_token = sys.stdin.readline(4096).strip()
        if not self._stdin_token:
            raise TokenRequired("--token-stdin found nothing on standard input.")
        return self._stdin_token

    def check_config_writable(self) -> None:
        """Check before any request is sent; raises ConfigWriteFailed."""
        try:
            config.check_writable(self.config_path)
        except OSError as error:
            raise self._config_not_written(error) from None

    def save_token(self, token: str, *, saved_at: str) -> Path | None:
        """Save the token for this server; return the path of the one it replaced, if any."""
        try:
            return config.save(
                self.config_path, token=token, api_base_url=self.api, saved_at=saved_at
            )
        except OSError as error:
            raise self._config_not_written(error) from None

    def _config_not_written(self, error: OSError) -> ConfigWriteFailed:
        return ConfigWriteFailed(
            f"The config file {self.config_path} can't be written: {error.strerror or error}.",
            command=writing.format_line(self.call.words, writing.format_arguments(self.call)),
        )


def parse_origin(url: str) -> str:
    """Return scheme, host and port of a base URL, its path dropped; raises InvalidCommandLine."""
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidCommandLine(
            "The API base URL must begin with http:// or https:// and name a host.",
            required_flag="--api-base-url",
        )
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"


def is_terminal(stream: "TextIO | None") -> bool:
    """Return whether a person reads or writes there."""
    return stream is not None and stream.isatty()
