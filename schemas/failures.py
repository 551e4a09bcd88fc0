"""How work can fail, as seen by the wires. Two branches matter: *never will* and *try again*.

    TristreamError
    ├── InvalidInput      never will: the input ends as a dead letter
    │   └── …             one class a cause, beside the code that finds it
    └── Unavailable       try again: a server or disk is away; the stage waits, nothing is lost

The text of an InvalidInput reaches dead letters and logs. It is written by us, says what is wrong and what to do,
and never quotes the input, a path, or another library's message: those can hold names.
"""

from typing import ClassVar, Self


class TristreamError(Exception):
    """Base of the errors that Tristream raises on purpose."""

    def __reduce__(self) -> tuple[object, ...]:
        # Subclasses write their own words and take other arguments than their text; errors cross process borders.
        return (type(self)._with_text, self.args)

    @classmethod
    def _with_text(cls, *args: object) -> Self:
        return cls.__new__(cls, *args)


class InvalidInput(TristreamError):
    """An input that no retry can mend. Its class name becomes the dead letter's `error`."""

    of_the_input: ClassVar[bool] = False
    """Whether it tells of the input alone, however many there are: a folder of reports, files deleted while they wait.
    Of others many in a row mean that the deployment is broken, and stop a stage."""


class NeedsTooMuchMemory(InvalidInput):
    """The work on the input asked for more memory than its process may have."""

    def __init__(self) -> None:
        super().__init__(
            "reading the file needs more memory than TRISTREAM_LIMIT_MEMORY allows, as damaged files do that claim to "
            "be huge; if this one is whole, raise the limit or split the file, and replay it"
        )


class Unavailable(TristreamError):
    """Something the work needs is away for now; the same work may succeed later."""
