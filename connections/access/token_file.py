"""TokenFile: the tokens of a server, in a file such as a container secret."""

import logging
import os
from pathlib import Path

from pipeline.errors import UserError

logger = logging.getLogger(__name__)


class TokenFile:
    """One token a line; empty lines, and those that begin with "#", do not count.

    A file that changes is read again when the next client comes, so a token is replaced without a
    restart: write the new one beside the old one, change the clients, take the old one out. Raises
    `UserError` if it has no token at start; if it becomes unreadable later, the tokens stay.
    """

    def __init__(self, path: str, named_by: str) -> None:
        """`named_by` is the flag or the environment variable, for error messages."""
        self._path = Path(path).expanduser()
        self._named_by = named_by
        self._seen = self._look()
        self._tokens = self._read()

    def tokens(self) -> tuple[str, ...]:
        """The current tokens."""
        seen = self._look()
        if seen != self._seen:
            self._seen = seen
            try:
                self._tokens = self._read()
            except UserError as error:
                logger.error("keeping the previous tokens: %s", error)
        return self._tokens

    def _look(self) -> tuple[int, ...]:
        """A fingerprint that changes with the contents. An orchestrator replaces the target of a link,
        which changes the inode."""
        try:
            state = os.stat(self._path)
        except OSError:
            return ()
        return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns

    def _read(self) -> tuple[str, ...]:
        expected = f"{self._named_by}: expected a file with a token on each line, but {self._path}"
        try:
            lines = self._path.read_text("utf-8-sig").splitlines()
        except OSError as error:
            raise UserError(f"{expected} cannot be read: {error.strerror}") from error
        except ValueError:
            raise UserError(f"{expected} is not text in UTF-8") from None  # it would quote the file
        stripped = (line.strip() for line in lines)
        tokens = tuple(line for line in stripped if line and not line.startswith("#"))
        if not tokens:
            raise UserError(f"{expected} has none")
        return tokens
