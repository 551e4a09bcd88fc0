"""What a person sees while objects are being accounted for. Writes to standard error only."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from infra.accounting import Accounts


class _Bar:
    """Shown from entering to leaving. On a terminal it moves; elsewhere it is not there."""

    def __init__(self, *columns: ProgressColumn) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(*columns, console=self._console, disable=not self._console.is_terminal)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """A line of its own."""
        self._console.print(text, highlight=False)


class AccountsProgress(_Bar):
    """A progress bar over objects. On a terminal it moves; elsewhere only what is said is printed.

    Args:
        total: objects.
    """

    def __init__(self, total: int) -> None:
        super().__init__(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("objects"),
            TimeElapsedColumn(),
        )
        self._task = self._progress.add_task("starting", total=total)

    def update(self, accounts: Accounts) -> None:
        """Show where the accounts stand."""
        self._progress.update(
            self._task,
            completed=accounts.finished,
            description=f"{accounts.triplets} triplets, {accounts.dead_letters} dead letters",
        )


class Counting(_Bar):
    """A progress bar over things of which the number becomes known on the way; nothing where there is no terminal.

    Args:
        things: what is counted.
    """

    def __init__(self, things: str) -> None:
        super().__init__(SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TextColumn(things), TimeElapsedColumn())
        self._task = self._progress.add_task("", total=None)

    def update(self, done: int, total: int | None = None) -> None:
        """Show how far it is; without a total, how many there are."""
        self._progress.update(self._task, completed=done, total=total)
