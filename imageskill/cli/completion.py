"""Completion scripts for shells, made from the command table."""

from collections.abc import Iterator

from imageskill.cli.grammar import table
from imageskill.cli.grammar.shared_flags import GLOBAL
from imageskill.cli.grammar.spec import FILE, IMAGE, REFERENCE, Command, Flag

_FILES = {FILE, IMAGE, REFERENCE}

_BASH = """\
_image_skill() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" words="" word
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    [[ $word == -* ]] && break
    words="${{words:+$words }}$word"
  done
  COMPREPLY=()
  case "$previous" in
{values}
  esac
  local candidates=""
  while [[ -z $candidates ]]; do
    case "$words" in
{commands}
    esac
    [[ -n $candidates || $words != *" "* ]] && break
    words="${{words% *}}"
  done
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
}}
complete -o default -F _image_skill image-skill
"""


def script(shell: str) -> str:
    """Write the script for bash, zsh or fish."""
    if shell == "fish":
        return _fish()
    bash = _bash()
    if shell == "zsh":
        return f"#compdef image-skill\nautoload -U +X bashcompinit && bashcompinit\n{bash}"
    return bash


def _bash() -> str:
    values = [
        f"    --{flag.name}) COMPREPLY=({_bash_candidates(flag)}); return;;"
        for flag in _flags_with_values()
    ]
    commands = [
        f'      "{words}") candidates="{" ".join(candidates)}";;'
        for words, candidates in _candidates().items()
    ]
    return _BASH.format(values="\n".join(values), commands="\n".join(commands))


def _bash_candidates(flag: Flag) -> str:
    if flag.choices:
        return f'$(compgen -W "{" ".join(flag.choices)}" -- "$current")'
    return '$(compgen -f -- "$current")' if flag.kind in _FILES else ""


def _flags_with_values() -> list[Flag]:
    flags = {
        flag.name: flag
        for command in table.COMMANDS
        for flag in _visible_flags(command)
        if flag.value
    }
    return list(flags.values())


def _candidates() -> dict[str, list[str]]:
    """Map words typed so far to what may follow."""
    following: dict[str, list[str]] = {}
    for command in table.COMMANDS:
        for length in range(len(command.words)):
            known = following.setdefault(" ".join(command.words[:length]), [])
            if command.words[length] not in known:
                known.append(command.words[length])
        flags = [f"--{flag.name}" for flag in _visible_flags(command)]
        choices = [one for flag in command.flags if flag.is_positional for one in flag.choices]
        following[" ".join(command.words)] = [*choices, *flags]
    return following


def _fish() -> str:
    lines = ["complete -c image-skill -f"]
    for words, candidates in _candidates().items():
        names = [one for one in candidates if not one.startswith("--")]
        if names:
            lines.append(
                f"complete -c image-skill -n '{_fish_after(words)}' -a '{' '.join(names)}'"
            )
    for command in table.COMMANDS:
        lines += _fish_flags(command)
    return "\n".join(lines) + "\n"


def _fish_flags(command: Command) -> Iterator[str]:
    after = _fish_after(" ".join(command.words))
    for flag in _visible_flags(command):
        value = f" -x -a '{' '.join(flag.choices)}'" if flag.choices else " -r" * bool(flag.value)
        files = " -F" if flag.kind in _FILES else ""
        text = flag.help.replace("'", "\\'")
        yield f"complete -c image-skill -n '{after}' -l {flag.name}{value}{files} -d '{text}'"


def _fish_after(words: str) -> str:
    count = len(words.split()) + 1
    typed = f"image-skill {words}".strip()
    return f'test (string join " " -- (commandline -opc)[1..{count}]) = "{typed}"'


def _visible_flags(command: Command) -> list[Flag]:
    return [flag for flag in (*command.flags, *GLOBAL) if not flag.is_hidden]
