"""Errors that a user can put right: what every command shows as a line or two, without a traceback.

They are here, and not where they are raised, so that the command line knows them without loading what raises them.
"""


class UserError(Exception):
    """Wrong use, or something outside that is not as it should be; the message says what to do about it.

    `status` is the exit status of the command that it ends.
    """

    status = 2


class BadQuestion(UserError, ValueError):
    """What was asked has no answer: an option, an instant or a name that cannot be; the message says what can."""


class NotOnRecord(UserError, LookupError):
    """Nothing is recorded under the name asked for: the answer is no."""

    status = 1


class MissingExtra(UserError):
    """Something that is installed only where it is asked for is not; the message says how to install it."""

    def __init__(self, extra: str, missing: str) -> None:
        super().__init__(f"{missing} is not installed, which this needs: pip install 'verbale[{extra}]'")


class AnswerIsNo(UserError):
    """The command worked, and its answer is no: what it has printed says so, and main adds nothing."""

    status = 1
