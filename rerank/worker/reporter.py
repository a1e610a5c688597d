"""What a running job tells the outside, and how it is told to stop."""

from typing import Protocol


class Stopped(Exception):  # noqa: N818 - it is a request that was granted, not an error
    """The job was asked to stop; what is finished stays, and the same job continues later."""


class Reporter(Protocol):
    """Where a job's news go; `breathe` is called often and raises `Stopped` when a stop was asked for."""

    def event(self, kind: str, **facts: object) -> None:
        """Append one line to the job's log."""

    def progress(self, **facts: object) -> None:
        """Replace the named facts in the job's current state."""

    def breathe(self) -> None:
        """Give the job a chance to stop."""


class Silent:
    """A reporter that tells nobody and never stops a job."""

    def event(self, kind: str, **facts: object) -> None:
        """Say nothing."""

    def progress(self, **facts: object) -> None:
        """Say nothing."""

    def breathe(self) -> None:
        """Go on."""
