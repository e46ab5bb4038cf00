"""The page's files, at paths that name their version: a browser keeps them, and never mixes two."""

import hashlib
import re
from pathlib import Path
from typing import Any

from fastapi import HTTPException, Response
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

INDEX = "index.html"
KEPT = "public, max-age=31536000, immutable"
_LOADED = re.compile(r'(href|src)="([\w-]+\.(?:js|css))"')


class PageFiles(StaticFiles):
    """Serves a flat folder, in whose index scripts and styles are called `VERSION/NAME`.

    Such a file never changes, so a browser that loads the page again asks for the index alone. All files
    have their plain paths, too.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, html=True)
        self._folder = folder

    async def get_response(self, path: str, scope: Any) -> Response:
        """The file at `path`. Raises `HTTPException` if it is not there, or of another version."""
        if path in (".", INDEX) and scope["method"] in ("GET", "HEAD"):
            return self._index()
        version, _, name = path.replace("\\", "/").rpartition("/")
        if not version:
            return await super().get_response(path, scope)
        if version != self._version():
            raise HTTPException(404)
        response = await super().get_response(name, scope)
        response.headers["Cache-Control"] = KEPT
        return response

    def _index(self) -> Response:
        index = (self._folder / INDEX).read_text("utf-8")
        return HTMLResponse(_LOADED.sub(rf'\1="{self._version()}/\2"', index))

    def _version(self) -> str:
        """A name that changes with any of the files."""
        files = sorted(self._folder.iterdir())
        facts = [(file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files]
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]
