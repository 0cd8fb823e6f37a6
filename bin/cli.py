"""The command line: `verbale`. Exit status 0 fine, 1 the answer is no, 2 wrong use or a store that cannot be used.

Only the module of the command that is typed is loaded: most commands take longer to load than to run.
"""

import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

from cyclopts import App, CycloptsError

from adapters.errors import BadQuestion, MissingExtra, UserError
from bin import language
from bin.command_list import COMMANDS, GROUPS, CommandEntry
from domain import __version__

FINE, WRONG_USE = 0, 2
INTERRUPTED = 130
MOVED_BEHIND = ("--store", "--format")
"""Options of most commands that may also stand before the command."""

app = App(
    name="verbale",
    help="The record of a service contract, and what it proves: who was late, by whose fault, what penalty follows.",
    version=__version__,
    version_flags=["--version", "-V"],
    help_format="plaintext",
    result_action="return_value",
    suppress_keyboard_interrupt=False,  # main prints a line of its own
)
_commands: dict[int, CommandEntry] = {}
"""By the id of their place in `app`."""


def _place(name: str) -> tuple[App, str]:
    """The app that holds a command, and the command's own word."""
    *groups, word = name.split()
    holder = app
    for group in groups:
        holder = holder[group]
    return holder, word


for _name, _help in GROUPS.items():
    _holder, _word = _place(_name)
    _holder.command(App(name=_word, help=_help))
for _command in COMMANDS:
    _holder, _word = _place(_command.name)
    if _command.name not in GROUPS:
        _holder.command(App(name=_word, help=_command.summary))
    _commands[id(_holder[_word])] = _command


def load(of: App) -> None:
    """Load the function of one command, unless it is loaded, or the app is a group alone."""
    command = _commands.get(id(of))
    if command is not None and of.default_command is None:
        module, _, name = command.target.partition(":")
        of.default(getattr(import_module(module), name))
        of.help = None  # from now on that of the function, which says more


def load_all(of: App) -> None:
    """Load every command below an app."""
    for name in of:
        if name not in (*of.help_flags, *of.version_flags):
            load(of[name])
            load_all(of[name])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status. Nobody but a developer (VERBALE_DEBUG=1) sees a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # the same bytes whatever the locale
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    language.choose(None)
    try:
        run(sys.argv[1:] if arguments is None else arguments)
    except CycloptsError as error:
        return _say_error(f"{error}\nverbale --help lists the commands; verbale COMMAND --help explains one.")
    except MissingExtra as error:
        return _without(error, arguments)
    except UserError as error:
        return _end(error)
    except BrokenPipeError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except KeyboardInterrupt:
        _say_error("interrupted: what was recorded stays, and running the same command again completes it")
        return INTERRUPTED
    except OSError as error:
        return _say_error(f"{error.filename or 'input'}: {error.strerror or error}")
    except ImportError as error:
        from bin.extras import missing_extra  # seldom needed

        missing = missing_extra(error)
        return _without(missing, arguments) if missing else _defect(error)
    except Exception as error:
        return _defect(error)
    return FINE


def run(arguments: Sequence[str]) -> Any:
    """Run one command, errors and all. Raises what is wrong with it."""
    typed = common_options(arguments)
    names, apps, _ = app.parse_commands(typed)
    for one in apps:
        load(one)
    about = [(name, one) for name, one in zip(("", *names), apps, strict=True) if name not in app.help_flags]
    if about[-1][1].default_command is None or any(token in app.help_flags for token in typed):
        from bin.help import prepare  # loads much that only help needs

        prepare(about[-1][1], " ".join(name for name, _ in about[1:]))
    return app(typed, exit_on_error=False, print_error=False)


def common_options(arguments: Sequence[str]) -> list[str]:
    """The arguments in the order in which their command takes them; the language asked for is remembered.

    `--language` may stand anywhere, `--store` and `--format` also before the command, or within its name
    (`report --format csv penalty`). Raises BadQuestion.
    """
    rest, after = list(arguments), []
    if "--" in rest:
        cut = rest.index("--")
        rest, after = rest[:cut], rest[cut:]
    kept: list[str] = []
    moved: list[str] = []
    while rest:
        option, equals, value = rest[0].partition("=")
        before = not kept or " ".join(kept) in GROUPS
        if option == "--language" or (before and option in MOVED_BEHIND):
            if not equals and len(rest) < 2:
                raise BadQuestion(f"{option} needs a value")
            value = value if equals else rest[1]
            rest = rest[1 if equals else 2 :]
            if option == "--language":
                if value not in language.LANGUAGES:
                    raise BadQuestion(f"setting language: {value} is none of {', '.join(language.LANGUAGES)}")
                language.choose(value)
            else:
                moved += [option, value]
        else:
            kept.append(rest.pop(0))
    return [*kept, *moved, *after]


def _without(missing: MissingExtra, arguments: Sequence[str] | None) -> int:
    """What to do where something is not installed: in a checkout, install it and begin again."""
    if arguments is None:
        from bin.extras import install_in_the_checkout

        install_in_the_checkout(sys.argv[1:])
    return _end(missing)


def _defect(error: Exception) -> int:
    if os.environ.get("VERBALE_DEBUG"):
        raise error
    defect = f"this should not happen: {type(error).__name__}: {error}"
    return _say_error(f"{defect}\nNothing half-done is recorded. VERBALE_DEBUG=1 shows where; please report it.")


def _end(error: UserError) -> int:
    """Print what is wrong, unless the command has printed it already; the exit status."""
    if str(error):
        _say_error(str(error))
    return error.status


def _say_error(text: str) -> int:
    current = language.current_language()
    print(f"verbale: {language.Words(current).sentence(text)}", file=sys.stderr)
    return WRONG_USE
