"""The page's files by version."""

import asyncio
import re
from pathlib import Path

import pytest
from fastapi import HTTPException, Response

from connections.web.page_files import PageFiles


def test_files_of_different_versions_are_never_mixed(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<script type="module" src="app.js"></script>', "utf-8")
    (tmp_path / "app.js").write_text("one", "utf-8")
    files = PageFiles(tmp_path)

    def get(path: str) -> Response:
        return asyncio.run(files.get_response(path, {"method": "GET", "headers": []}))

    def linked() -> str:
        return str(re.findall(r'src="(.*?)"', bytes(get(".").body).decode())[0])

    old = linked()
    assert "immutable" in get(old).headers["Cache-Control"]
    assert "Cache-Control" not in get("app.js").headers
    (tmp_path / "app.js").write_text("other", "utf-8")
    new = linked()
    assert new != old
    assert get(new).headers["Content-Length"] == "5"
    with pytest.raises(HTTPException):
        get(old)
