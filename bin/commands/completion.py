"""The command that has the shell complete commands and options."""

from pathlib import Path
from typing import Literal

from cyclopts.completion.detect import ShellDetectionError

from adapters.errors import BadQuestion
from bin.cli import app, load_all
from bin.commands.options import words


def install_completion(*, shell: Literal["bash", "zsh", "fish"] | None = None, output: Path | None = None) -> None:
    """Complete commands and options with the tab key, in this shell or the one named: bash, zsh, fish.

    Parameters
    ----------
    shell
        The shell; else the one that runs this.
    output
        Where the script is written; else where the shell looks for it.
    """
    load_all(app)
    try:
        written = app.install_completion(shell=shell, output=output, add_to_startup=output is None)
    except ShellDetectionError:
        raise BadQuestion("which shell is this? give --shell bash, zsh or fish") from None
    say = words()
    print(say("completion written to {file}: it works in every shell begun from now on").format(file=written))
