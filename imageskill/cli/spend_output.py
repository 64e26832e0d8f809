"""`--output` of `create` and `edit`: the images of a run saved as soon as it has ended."""

from pathlib import Path
from typing import Any

from imageskill.cli.envelopes import CommandResult
from imageskill.cli.errors import CliError
from imageskill.cli.grammar import writing
from imageskill.cli.grammar.reading import Call
from imageskill.cli.transport import downloads


def check(call: Call) -> None:
    """Check before anything is spent that the files can be written.

    Raises OutputExists or OutputWriteFailed.
    """
    if "output" not in call.given:
        return
    path = Path(call.given["output"])
    for number in range(1, (call.get("output-count") or 1) + 1):
        downloads.check_free(_numbered(path, number), is_overwriting=call.is_on("overwrite"))
    downloads.check_writable(path.parent)


def save(answer: CommandResult, call: Call) -> CommandResult:
    """Save the images of a run that has ended; the answer tells the files."""
    if "output" not in call.given or not answer.is_ok:
        return answer
    assets = [asset for asset in answer.data.get("assets") or [] if isinstance(asset, dict)]
    if not assets:
        return answer.with_warnings(_still_running(answer))
    path = Path(call.given["output"])
    saved = []
    for number, asset in enumerate(assets, 1):
        try:
            saved.append(_save(asset, _numbered(path, number), call))
        except CliError as problem:
            if answer.after_output:
                answer.after_output()
            raise _made_but_not_saved(problem, answer, asset, _numbered(path, number)) from None
    return answer.with_data(downloads=saved)


def _save(asset: dict[str, Any], path: Path, call: Call) -> dict[str, Any]:
    return downloads.save(asset, path, is_overwriting=call.is_on("overwrite"))


def _numbered(path: Path, number: int) -> Path:
    """Return the path of the first image, and `name-2.png` and so on for further ones."""
    return path if number == 1 else path.with_stem(f"{path.stem}-{number}")


def _still_running(answer: CommandResult) -> str:
    job_id = answer.data.get("job_id")
    return (
        f"Nothing was saved, because the job has not ended. Run `image-skill jobs wait {job_id} "
        "--json`, then `image-skill assets get` with the asset id that it returns."
    )


def _made_but_not_saved(
    problem: CliError, answer: CommandResult, asset: dict[str, Any], path: Path
) -> CliError:
    """Add what was charged to the error's text, since an error carries no data."""
    asset_id = str(asset.get("asset_id"))
    job_id = answer.data.get("job_id")
    text = f"The job {job_id} is done and charged; only saving {asset_id} failed. {problem}"
    problem.args = (text,)
    arguments = [asset_id, "--output", str(path), "--json"]
    if problem.code == "OUTPUT_EXISTS":
        arguments.insert(-1, "--overwrite")
    problem.recovery["suggested_command"] = writing.format_line(("assets", "get"), arguments)
    return problem
