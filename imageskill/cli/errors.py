"""The errors of the client; the server's own pass through unchanged."""

from typing import Any, ClassVar

from imageskill.cli.addresses import SITE_URL
from imageskill.cli.grammar.reading import UsageError

DOCS_URL = f"{SITE_URL}/cli.md"
SIGNUP_COMMAND = "image-skill signup --agent --agent-name NAME --runtime RUNTIME --save --json"


class CliError(Exception):
    """A failure that becomes an envelope: code, exit code, retryable, recovery."""

    code: ClassVar[str]
    exit_code: ClassVar[int]
    retryable: bool = False

    def __init__(self, message: str, **recovery: Any) -> None:
        super().__init__(message)
        self.recovery = recovery


class InvalidCommandLine(CliError):
    """The command line is invalid, or a local file is not what a flag takes."""

    code = "INVALID_ARGUMENTS"
    exit_code = 2


class TokenRequired(CliError):
    """There is no token to send."""

    code = "AUTH_REQUIRED"
    exit_code = 3

    def __init__(self, message: str) -> None:
        super().__init__(message, suggested_command=SIGNUP_COMMAND, docs_url=DOCS_URL)


class InputDenied(CliError):
    """The file is no image, or too large."""

    code = "INPUT_POLICY_DENIED"
    exit_code = 6


class RequestFailed(CliError):
    """The server did not answer; whether it acted is not known."""

    code = "HOSTED_API_REQUEST_FAILED"
    exit_code = 7
    retryable = True

    def __init__(self, message: str) -> None:
        super().__init__(
            message, suggested_command="image-skill doctor --json", retry_after_seconds=30
        )


class CertificateNotTrusted(RequestFailed):
    """The server's certificate is not trusted, so nothing was sent."""

    retryable = False

    def __init__(self, message: str) -> None:
        CliError.__init__(
            self,
            message,
            suggested_command="SSL_CERT_FILE=CA_FILE image-skill doctor --json",
            docs_url=f"{DOCS_URL}#config-and-environment",
        )


class InvalidResponse(RequestFailed):
    """The response is not one of this service."""

    code = "HOSTED_API_NON_JSON_RESPONSE"


class DownloadFailed(CliError):
    """An image could not be downloaded, or not whole."""

    code = "ASSET_DOWNLOAD_FAILED"
    exit_code = 7
    retryable = True


class FetchFailed(CliError):
    """A URL to upload from did not return an image."""

    code = "REMOTE_UPLOAD_FETCH_FAILED"
    exit_code = 7
    retryable = True


class TimedOut(CliError):
    """The job did not end in time."""

    code = "TIMEOUT"
    exit_code = 8
    retryable = True


class OutputExists(CliError):
    """The file exists, and --overwrite was not given."""

    code = "OUTPUT_EXISTS"
    exit_code = 9


class OutputWriteFailed(CliError):
    """The file can't be written there."""

    code = "OUTPUT_WRITE_FAILED"
    exit_code = 9


class ConfigWriteFailed(CliError):
    """The config file can't be written."""

    code = "PUBLIC_CLI_CONFIG_WRITE_FAILED"
    exit_code = 9
    retryable = True

    def __init__(self, message: str, *, command: str) -> None:
        super().__init__(
            message,
            suggested_command=f'IMAGE_SKILL_CONFIG_PATH="$PWD/.image-skill/config.json" {command}',
            docs_url=f"{DOCS_URL}#config-and-environment",
        )


class InternalClientError(CliError):
    """A defect of this client."""

    code = "PUBLIC_CLI_FAILED"
    exit_code = 1


def from_usage_error(error: UsageError) -> InvalidCommandLine:
    """Return what is wrong with a command line, and its usage."""
    recovery: dict[str, Any] = {}
    flags = [f"--{name}" for name in error.flags]
    if flags:
        recovery["required_flags"] = flags
    if len(flags) == 1:
        recovery["required_flag"] = flags[0]
    command = error.command
    recovery["suggested_command"] = command.usage if command else "image-skill help --json"
    recovery["docs_url"] = f"{DOCS_URL}#{command.anchor}" if command else DOCS_URL
    return InvalidCommandLine(str(error), **recovery)
