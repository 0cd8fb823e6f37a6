"""Help texts: what cyclopts prints, with examples below it, in English or Italian. Loaded only where help is shown."""

from typing import TYPE_CHECKING, Any, cast

from cyclopts import App
from cyclopts.help import HelpEntry, HelpPanel
from cyclopts.help.formatters import DefaultFormatter

from bin import language
from bin.command_list import COMMANDS

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions

SHOWN_EXAMPLES = 3
"""Of a group: one of each of so many of its commands."""
EVERYWHERE = (
    "--language en or it may stand anywhere, --store and --format also before the command; "
    "verbale.toml and VERBALE_LANGUAGE, VERBALE_STORE hold for every command."
)
QUESTIONS_OF_A_READING = (
    "The questions that a reading answers, each with its answers, the literal one first (see verbale readings):"
)


def prepare(of: App, name: str) -> None:
    """Add to the help of a command, or of a group of them: examples, and the language it is shown in."""
    say = language.Words(language.current_language(), "help")
    parts = [_examples(name, say)]
    if name == "report":
        parts.insert(0, _questions(say))
    of.help_epilogue = "\n\n".join([*parts, say(EVERYWHERE)])
    of.help_formatter = DefaultFormatter() if say.language == "en" else Translated(say)


def examples_of(name: str) -> list[str]:
    """The examples of a command; of a group, those of its first commands."""
    own = [example for command in COMMANDS if command.name == name for example in command.examples]
    within = f"{name} " if name else ""
    inner = [one.examples[0] for one in COMMANDS if one.name.startswith(within) and not one.name.startswith("-")]
    return own or inner[:SHOWN_EXAMPLES]


def _examples(name: str, say: language.Words) -> str:
    return "\n".join([say("Examples:"), *(f"  {example}" for example in examples_of(name))])


def _questions(say: language.Words) -> str:
    from projections.readings import QUESTIONS  # no other help needs them

    lines = (f"  {field} ({question.clause}): {' | '.join(question.answers)}" for field, question in QUESTIONS.items())
    return "\n".join([say(QUESTIONS_OF_A_READING), *lines])


class Translated(DefaultFormatter):
    """Help in another language: the texts of commands and options, and cyclopts' own words."""

    def __init__(self, say: language.Words) -> None:
        super().__init__()
        self._say = say

    def __call__(self, console: "Console", options: "ConsoleOptions", panel: HelpPanel) -> None:
        """A panel of commands or of options."""
        title = self._say(str(panel.title))
        super().__call__(console, options, panel.copy(title=title, entries=[self._entry(one) for one in panel.entries]))

    def render_usage(self, console: "Console", options: "ConsoleOptions", usage: Any) -> None:  # noqa: ARG002
        """The line of usage, of which the words in capitals are cyclopts'."""
        if usage:
            words = (self._say(word) for word in str(usage).split())
            console.print(f"{self._say('Usage:')} {' '.join(words)}\n", markup=False, highlight=False, style="bold")

    def render_description(self, console: "Console", options: "ConsoleOptions", description: Any) -> None:  # noqa: ARG002
        """What the command does, paragraph by paragraph."""
        if text := _plain(description):
            paragraphs = (self._text(paragraph) for paragraph in text.strip().split("\n\n"))
            console.print("\n\n".join(paragraphs) + "\n", markup=False, highlight=False)

    def _entry(self, entry: HelpEntry) -> HelpEntry:
        from rich.text import Text

        notes = [
            f"[{self._say('choices')}: {', '.join(entry.choices)}]" if entry.choices else "",
            f"[{self._say('default')}: {entry.default}]" if entry.default is not None else "",
            f"[{self._say('required')}]" if entry.required else "",
        ]
        text = " ".join(filter(None, [self._text(_plain(entry.description)), *notes]))
        return entry.copy(description=Text(text), choices=None, default=None, required=False)

    def _text(self, text: str) -> str:
        return self._say(" ".join(text.split()))


def _plain(shown: Any) -> str:
    """The text of what cyclopts would show: help is plain text here."""
    return str(cast(Any, getattr(shown, "primary_renderable", shown)) or "")
