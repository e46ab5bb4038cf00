"""`--check`: a report of what is ready on this machine, and the command for what is missing."""

import importlib.metadata
import importlib.util
import os
import platform
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from arguments_classes.file_arguments import FileArguments
from arguments_classes.local_arguments import LocalArguments
from catalog.registry import all_specs
from catalog.weights import EMBEDDED, FETCH
from command_line.later_engines import own_flags
from connections.local.audio_streamer import choose_port
from pipeline.errors import UserError
from utils.device import available_devices
from utils.environment import SECRET, VARIABLES
from utils.hub import begun, cache_folder, cached, folder_bytes, size_text
from utils.installation import pip_install
from utils.packaged import damaged_files, digests
from utils.safetensors_file import cut_off
from utils.sound_devices import describe_sound_devices

if TYPE_CHECKING:
    from command_line.arguments import Arguments


@dataclass(frozen=True, slots=True)
class Finding:
    """A line of the report. `ready`: True or False for a chosen part, None for information only."""

    topic: str
    text: str
    ready: bool | None = None


def check(arguments: "Arguments") -> int:
    """Print every finding. Returns 0 if everything that was chosen can run, else 1."""
    findings = list(_findings(arguments))
    for finding in findings:
        symbol = {True: "ok", False: "NO", None: "  "}[finding.ready]
        print(f"{symbol:<3}{finding.topic:<13}{finding.text}")
    failed = any(finding.ready is False for finding in findings)
    print("not ready: see the lines marked NO" if failed else "ready")
    return int(failed)


def _findings(arguments: "Arguments") -> Iterator[Finding]:
    yield Finding(
        "machine", f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )
    wanted, devices = arguments.module.device, available_devices()
    yield Finding("accelerator", ", ".join(devices))
    if wanted != "auto":
        yield Finding("accelerator", f"--device {wanted}", wanted in devices)
    if isinstance(arguments.mode, FileArguments) and arguments.mode.input not in (None, "-"):
        found = Path(str(arguments.mode.input)).is_file()
        yield Finding("input", f"{arguments.mode.input}" + ("" if found else ": no such file"), found)
    yield from _sound(arguments.mode)
    yield from _engines(arguments)
    yield from _models(arguments)
    yield from _servers(arguments)
    yield from _ports(arguments)
    for variable in VARIABLES:
        value = os.environ.get(variable)
        shown = "set" if value and variable in SECRET else value
        yield Finding("environment", f"{variable} = {shown}" if value else f"{variable} is not set")


def _sound(mode: object) -> Iterator[Finding]:
    """The devices, and those that `--mode local` would open, with their formats."""
    needed = isinstance(mode, LocalArguments)
    try:
        for line in describe_sound_devices():
            yield Finding("sound", line)
        port = choose_port(mode if isinstance(mode, LocalArguments) else LocalArguments())
        for text in port.describe():
            yield Finding("sound", text, True if needed else None)
    except UserError as error:
        yield Finding("sound", str(error), False if needed else None)


def _engines(arguments: "Arguments") -> Iterator[Finding]:
    chosen = [choice.spec for choices in arguments.engines.values() for choice in choices]
    for spec in all_specs():
        missing = spec.missing()
        text = f"--{spec.stage} {spec.name} [{', '.join(spec.devices)}]: {spec.about}"
        if missing:
            text += f" (not installed: {', '.join(missing)}; {spec.install})"
        yield Finding("engine", text, not missing if spec in chosen else None)


def _models(arguments: "Arguments") -> Iterator[Finding]:
    for choice in (choice for choices in arguments.engines.values() for choice in choices):
        spec, model = choice.spec, choice.settings.get("model_name")
        if "remote" not in spec.devices and "/" in str(model):
            yield _model(f"--{spec.stage} {spec.name}: {model}", str(model))
    if importlib.util.find_spec("moonshine_voice") is not None:
        version = importlib.metadata.version("moonshine-voice")
        broken = damaged_files("moonshine-voice", "assets/tiny-en")
        state = "built in"
        if broken:
            again = pip_install(f"--force-reinstall --no-deps moonshine-voice=={version}")
            state = f"{', '.join(broken)} damaged or missing; {again}"
        yield Finding(
            "model", f"moonshine tiny-en: {state} (moonshine-voice {version})", False if broken else None
        )
    yield from _embedded()
    cache = cache_folder()
    kept = sorted(folder.name.removeprefix("models--") for folder in cache.glob("models--*"))
    for name in kept:
        yield Finding("model", f"{name.replace('--', '/')}: in {cache}")
    if not kept:
        yield Finding("model", f"no models from the hub in {cache}")


def _embedded() -> Iterator[Finding]:
    """The state of the files of the built-in models, each checked by its digest."""
    right = digests(EMBEDDED)
    for file in EMBEDDED:
        if right.get(file.name):
            yield Finding("model", f"{file.name}: in {file.path.parent}, {size_text(file.size)}", True)
        else:
            ready = False if file.state == "damaged" else None  # without it, another engine is chosen
            yield Finding("model", f"{file.path}: {file.state}; type: {FETCH}", ready)


def _model(text: str, name: str) -> Finding:
    """The state of a model: a name on the hub, or a folder."""
    if (folder := cached(name)) is not None:
        if broken := cut_off(folder):
            again = f"delete {folder} and add --download to get it again"
            return Finding("model", f"{text}: {', '.join(broken)} cut off or damaged; {again}", False)
        return Finding("model", f"{text}, {size_text(folder_bytes(folder))} in {folder}", True)
    if (folder := begun(name)) is not None:  # some engines need only a part of it
        return Finding("model", f"{text}, {size_text(folder_bytes(folder))} of it in {folder}")
    return Finding("model", f"{text}: not in {cache_folder()}; add --download to get it")


def _servers(arguments: "Arguments") -> Iterator[Finding]:
    from LLM.auto import advice, find_local_servers

    for choice in (choice for choices in arguments.engines.values() for choice in choices):
        if "remote" in choice.spec.devices:
            try:
                with own_flags(choice.prefix, choice.spec):
                    engine = choice.spec.load()(**choice.settings)
                with closing(engine):
                    yield Finding("server", f"{engine.reach()} answers", True)
            except UserError as error:
                yield Finding("server", str(error), False)
    if "s2s" in arguments.engines:
        return
    servers = find_local_servers(arguments.own_ports())
    for server in servers:
        yield Finding(
            "server", f"{server.name} at {server.base_url} has {', '.join(server.models) or 'no model'}"
        )
    if not any(server.models for server in servers):
        yield Finding("server", f"no language model on this machine; {advice(servers)}")


def _ports(arguments: "Arguments") -> Iterator[Finding]:
    for port in arguments.own_ports():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                yield Finding("port", f"{port}: {error.strerror}", False)
            else:
                yield Finding("port", f"{port} is free", True)
