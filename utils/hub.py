"""Models from the Hugging Face hub: in a folder that the user named, the cache, or the network."""

import contextlib
import errno
import json
import logging
import shutil
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import EngineError, Unavailable, UserError
from utils.progress import DownloadStopped, Progress, terminal_bar
from utils.reason import reason_of
from utils.writable import expect_writable

logger = logging.getLogger(__name__)

ANSWER_S = 10.0
"""Time for the hub to list the files of a model; its client waits as long for a file."""

_NO_SUCH_MODEL = (401, 403, 404)
"""Answers of the hub for a model that does not exist, or is private."""

_WAYS = "name a folder that has it, or connect to the network once and add --download"


class NotReached(Unavailable):
    """The model is not here, and the hub cannot be reached, or asked. `trouble` says why, without
    folders and flags."""

    def __init__(self, text: str, trouble: str = "the hub cannot be reached") -> None:
        super().__init__(text)
        self.trouble = trouble


fetched: dict[str, Path] = {}
"""Folders that `fetch` returned in this process and its workers, by the names on the hub."""


def fetch(
    model_name: str,
    flag: str,
    *,
    files: Sequence[str] | None = None,
    repo_type: str = "model",
    on_progress: Progress | None = None,
) -> Path:
    """The folder with the files of a model.

    `model_name` is a folder, or a name on the hub. `files` are patterns of the files that are needed, by
    default all; one without a "*" must exist. For files in the cache the network is not used. Missing
    files are downloaded; if the download breaks off, complete files are kept. Their size and the
    progress are shown on standard error, or else passed to `on_progress`, on the threads that download;
    an error that it raises ends the download. `repo_type` is "dataset" for a data set. Raises
    `UserError`, naming `flag`: `Unavailable` for a model that cannot be had.
    """
    folder = cached(model_name, files, repo_type)
    if folder is None:
        try:
            folder = _download(model_name, flag, files, repo_type, on_progress)
        except (UserError, DownloadStopped):
            raise
        except Exception as error:  # of three libraries without a common base class
            if trouble := _trouble(error):
                partly = "only part of it is" if begun(model_name) else "it is not"
                here = f"{flag} {model_name}: {partly} in {cache_folder()}"
                raise NotReached(f"{here}, and {trouble}; {_WAYS}", trouble) from error
            kind = UserError if isinstance(error, ValueError) else Unavailable
            raise kind(f"{flag} {model_name}: {_sentence(error, model_name)}") from error
    if folder != Path(model_name).expanduser():
        fetched[model_name] = folder
    return folder


def unavailable(what: str, error: Exception, code: str) -> EngineError:
    """The error for a model that is missing during a conversation: the client hears that it is, the log
    says why, since the reason names folders and flags of this machine."""
    logger.error("%s is not available: %s", what, error)
    return EngineError(f"{what} is not available here", code)


def cached(model_name: str, files: Sequence[str] | None = None, repo_type: str = "model") -> Path | None:
    """The folder with the files of a model, where nothing of them is missing; without the network."""
    if Path(model_name).expanduser().is_dir():
        return Path(model_name).expanduser()
    if not (cache_folder() / f"{repo_type}s--{model_name.replace('/', '--')}").is_dir():
        return None  # known without importing the hub's client, which takes 0.2 s
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    wanted = None if files is None else list(files)
    try:  # refuses what a download that broke off has left, if it knows what there should be
        folder = Path(
            snapshot_download(
                model_name, repo_type=repo_type, allow_patterns=wanted, local_files_only=True
            )
        )
    except (LocalEntryNotFoundError, ValueError):  # the latter: it cannot be a name on the hub
        return None
    named = (folder / name for name in files or () if "*" not in name)
    complete = _whole(folder) and all(file.exists() for file in named)
    return folder if complete and _wanted(_names_in(folder), files) else None


def is_reachable() -> bool:
    """True if the hub answers at all."""
    from huggingface_hub.constants import ENDPOINT
    from huggingface_hub.utils import get_session

    try:
        get_session().head(ENDPOINT, timeout=ANSWER_S / 3)
    except Exception:  # of three libraries without a common base class
        return False
    return True


def begun(model_name: str) -> Path | None:
    """The folder with the files of a model in the cache, complete or not."""
    snapshots = (cache_folder() / f"models--{model_name.replace('/', '--')}").glob("snapshots/*")
    return next((folder for folder in snapshots if any(folder.iterdir())), None)


def cache_folder() -> Path:
    """The folder in which models of the hub are kept."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE)


def size_text(size_bytes: float) -> str:
    """Format a size for people: "720 MB"."""
    for unit in ("bytes", "kB", "MB"):
        if size_bytes < 999.5:
            return f"{size_bytes:.0f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} GB"


def folder_bytes(folder: Path) -> int:
    """Size of the files in a folder, links followed."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _names_in(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


def _wanted(names: Iterable[str], files: Sequence[str] | None) -> list[str]:
    from huggingface_hub.utils import filter_repo_objects

    return list(filter_repo_objects(names, allow_patterns=None if files is None else list(files)))


def _whole(folder: Path) -> bool:
    """True if a folder of the cache is complete. If the client has kept a list of its files, the client
    has checked; older clients kept none, and left unfinished files as "DIGEST.incomplete"."""
    model = folder.parent.parent
    if (model / "trees" / f"{folder.name}.json").exists():
        return True
    for part in (model / "blobs").glob("*.incomplete"):
        if not (model / "blobs" / part.name.partition(".")[0]).exists():
            return False
    for index in folder.rglob("*.index.json"):
        with contextlib.suppress(ValueError, AttributeError):
            parts = set(json.loads(index.read_text("utf-8")).get("weight_map", {}).values())
            if not all((index.parent / part).exists() for part in parts):
                return False
    return True


def _download(
    model_name: str,
    flag: str,
    files: Sequence[str] | None,
    repo_type: str,
    on_progress: Progress | None,
) -> Path:
    from huggingface_hub import HfApi, snapshot_download

    cache = cache_folder()
    expect_writable(cache)
    about = HfApi().repo_info(model_name, repo_type=repo_type, files_metadata=True, timeout=ANSWER_S)
    known = about.siblings or []
    sizes = {file.rfilename: file.size or 0 for file in known}
    names = _wanted(sizes, files)
    if not names:
        raise UserError(
            f"{flag} {model_name}: expected {', '.join(files or ['files'])} in it, found none"
        )
    size = sum(sizes[name] for name in names)
    here = cache / f"{repo_type}s--{model_name.replace('/', '--')}" / "blobs"
    missing = size - (folder_bytes(here) if here.is_dir() else 0)
    free = shutil.disk_usage(next(path for path in (cache, *cache.parents) if path.exists())).free
    if missing > free:
        raise Unavailable(
            f"{flag} {model_name}: {size_text(missing)} do not fit into {cache}, which has "
            f"{size_text(free)} left; choose another with MODEL_CACHE_DIR, or name a folder that has it"
        )
    shown = contextlib.nullcontext(on_progress) if on_progress else _shown(model_name, size)
    with shown as report:
        report(max(0, size - missing), size)
        folder = snapshot_download(
            model_name,
            repo_type=repo_type,
            allow_patterns=names,
            tqdm_class=_counter(max(0, size - missing), size, report),
        )
        report(size, size)
    return Path(folder)


@contextlib.contextmanager
def _shown(model_name: str, size: int) -> Iterator[Progress]:
    """Show the download on standard error: its beginning, a bar if that is a terminal, and its end."""
    print(
        f"  downloading {model_name}: {size_text(size)}, into {cache_folder()}",
        file=sys.stderr,
        flush=True,
    )
    began_s = time.monotonic()
    with terminal_bar() as report:
        yield report
    took_s = time.monotonic() - began_s
    print(f"  downloaded {model_name}: {size_text(size)} in {took_s:.0f} s", file=sys.stderr, flush=True)


def _counter(done: int, size: int, report: Progress) -> type[Any]:
    """A class of bars for the client of the hub, which draws nothing but reports the bytes that are on
    the disk; `done` of them were there before."""
    from huggingface_hub.utils import tqdm

    lock = threading.Lock()

    class Counter(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, name: str = "", **rest: Any) -> None:
            self._counts = name == "huggingface_hub.snapshot_download"
            super().__init__(*args, **rest | {"disable": True})

        def update(self, n: float | None = 1) -> None:
            nonlocal done
            if self._counts:
                with lock:
                    done += int(n or 0)
                    report(min(done, size), size)

    return Counter


def _trouble(error: Exception) -> str:
    """The trouble with the network; empty for any other."""
    from huggingface_hub.constants import ENDPOINT
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError
    from huggingface_hub.utils import OfflineModeIsEnabled

    causes = list(_causes(error))
    if _is_of(causes, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE forbids asking the hub"
    status = _status_of(causes)
    refused = _is_of(causes, HFValidationError, GatedRepoError, RepositoryNotFoundError)
    if refused or status in _NO_SUCH_MODEL or _is_full(causes):
        return ""
    if status is not None:
        return f"the hub at {ENDPOINT} answers with error {status}"
    return f"the hub at {ENDPOINT} cannot be reached ({reason_of(causes[-1])})"


def _sentence(error: Exception, model_name: str) -> str:
    """Describe any other problem, and how to solve it."""
    from huggingface_hub.constants import ENDPOINT
    from huggingface_hub.errors import GatedRepoError, HFValidationError

    causes = list(_causes(error))
    log_in = "log in (type: hf auth login; or set HF_TOKEN)"
    if _is_of(causes, HFValidationError):
        return "expected a folder that exists, or a name on the hub such as owner/model"
    if _is_of(causes, GatedRepoError):
        return (
            f"its owner requires you to accept conditions: do that at {ENDPOINT}/{model_name}, {log_in} "
            "and add --download; or name a folder that has it"
        )
    if _is_full(causes):
        return f"no space is left in {cache_folder()}; choose another with MODEL_CACHE_DIR, or {_WAYS}"
    return (
        f"{ENDPOINT} has no such model, or it is private; check the name, or {log_in} and add "
        "--download; or name a folder that has it"
    )


def _is_of(causes: Iterable[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(cause, kinds) for cause in causes)


def _is_full(causes: Iterable[BaseException]) -> bool:
    return any(isinstance(cause, OSError) and cause.errno == errno.ENOSPC for cause in causes)


def _status_of(causes: Iterable[BaseException]) -> int | None:
    return next((s for cause in causes if (s := _status(cause)) is not None), None)


def _status(error: BaseException) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes."""
    following: BaseException | None = error
    while following is not None:
        yield following
        following = following.__cause__
