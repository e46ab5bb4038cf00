"""`--check`: what must be fixed before one can talk, what would be better, and what is ready."""

import importlib.metadata
import os
import platform
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from arguments_classes.file_arguments import FileArguments
from arguments_classes.local_arguments import LocalArguments
from catalog.choice import PREFERRED
from catalog.offers import OFFERS
from catalog.registry import EngineSpec, all_specs
from catalog.weights import EMBEDDED, FETCH, SMOLLM2
from command_line.later_engines import own_flags
from commands.finding import Block, Finding, report
from connections.local.audio_streamer import choose_port
from pipeline.errors import UserError
from utils.device import accelerated, available_devices, find_device
from utils.environment import SECRET, VARIABLES
from utils.hub import begun, cache_folder, cached, folder_bytes, size_text
from utils.installation import pip_install
from utils.noise_suppressor import expect_noise_suppressor
from utils.packaged import damaged_files, digests
from utils.safetensors_file import cut_off
from utils.sound_devices import describe_sound_devices

if TYPE_CHECKING:
    from command_line.arguments import Arguments


def check(arguments: "Arguments") -> int:
    """Print the report. Returns 0 if one can talk with what was chosen, else 1."""
    everything = arguments.module.check == "all"
    findings = [
        replace(each, text=arguments.file.named(each.text))
        for each in _findings(arguments)
        if everything or each.block != "more"
    ]
    for line in report(findings):
        print(line)
    return int(any(finding.block == "fix" for finding in findings))


def _findings(arguments: "Arguments") -> Iterator[Finding]:
    yield from _machine(arguments)
    yield from _sound(arguments.mode)
    yield from _engines(arguments)
    yield from _models(arguments)
    yield from _servers(arguments)
    for stage, choices in arguments.engines.items():
        yield from _better(stage, choices[0].spec.name, arguments.module.language)
    yield from _ports(arguments)
    yield from _others(arguments)


def _machine(arguments: "Arguments") -> Iterator[Finding]:
    wanted, devices = arguments.module.device, available_devices()
    about = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    yield Finding("ready", "machine", f"{about}; models can use {', '.join(devices)}")
    try:
        find_device(wanted)
    except UserError as error:
        yield Finding("fix", "device", str(error))
    mode = arguments.mode
    if isinstance(mode, FileArguments) and mode.input not in (None, "-"):
        found = Path(str(mode.input)).exists()
        text = str(mode.input) if found else f"there is no file {mode.input}; name another: --input"
        yield Finding("ready" if found else "fix", "input", text)
    if arguments.module.audio_enhancement:
        try:
            expect_noise_suppressor()
        except UserError as error:
            yield Finding("fix", "noise", str(error))


def _sound(mode: object) -> Iterator[Finding]:
    """The devices, and those that `--mode local` would open, with their formats."""
    needed = isinstance(mode, LocalArguments)
    try:
        for line in describe_sound_devices():
            yield Finding("ready" if needed else "more", "sound device", line.strip())
        port = choose_port(mode if isinstance(mode, LocalArguments) else LocalArguments())
        for text in port.describe():
            yield Finding("ready", "sound", text)
    except UserError as error:
        if needed:
            yield Finding("fix", "sound", str(error))
        else:
            reason = str(error).partition(";")[0]
            yield Finding("better", "sound", f"{reason}; --mode local needs one, this mode does not")


def _engines(arguments: "Arguments") -> Iterator[Finding]:
    chosen = {choice.spec: choices for choices in arguments.engines.values() for choice in choices}
    for spec in all_specs():
        topic, missing = f"{spec.stage} {spec.name}", spec.missing()
        text = f"{spec.about} [{', '.join(spec.devices)}]"
        if spec in chosen:
            yield from _speed(spec)
        if missing:
            text = f"{spec.about}; not installed: {', '.join(missing)}; type: {spec.install}"
        if spec not in chosen:
            yield Finding("more", topic, text)
        elif missing:
            others = [choice.spec for choice in chosen[spec] if not choice.spec.missing()]
            yield Finding("better" if others else "fix", topic, text)
        else:
            yield Finding("ready", topic, text)


def _speed(spec: EngineSpec) -> Iterator[Finding]:
    """A warning about an engine that is too slow on this machine."""
    slow = {each.name for rows in PREFERRED.values() for each in rows if each.accelerated}
    local = "remote" not in spec.devices
    if accelerated() or not (local and (spec.duplex or spec.name in slow)):
        return
    if spec.duplex:
        text = (
            "too slow for a conversation without a GPU, and this machine has none; use a server "
            "(--s2s realtime), or parts that need no GPU: --preset cpu"
        )
        yield Finding("fix", f"{spec.stage} {spec.name}", text)
    else:
        text = "slow without a GPU, and this machine has none; --preset cpu has faster parts"
        yield Finding("better", f"{spec.stage} {spec.name}", text)


def _models(arguments: "Arguments") -> Iterator[Finding]:
    choices = [choice for choices in arguments.engines.values() for choice in choices]
    for choice in choices:
        spec, model = choice.spec, choice.settings.get("model_name")
        if "remote" not in spec.devices and "/" in str(model):
            yield _model(f"{spec.stage} model", str(model))
    if any(choice.spec.name == "moonshine" and not choice.spec.missing() for choice in choices):
        yield _moonshine()
    yield from _embedded()
    cache = cache_folder()
    kept = sorted(folder.name.removeprefix("models--") for folder in cache.glob("models--*"))
    for name in kept:
        yield Finding("more", "model", f"{name.replace('--', '/')}: in {cache}")
    if not kept:
        yield Finding("more", "model", f"no models from the hub in {cache}")


def _moonshine() -> Finding:
    """The state of the model that is built into Moonshine's package."""
    version = importlib.metadata.version("moonshine-voice")
    if broken := damaged_files("moonshine-voice", "assets/tiny-en"):
        again = pip_install(f"--force-reinstall --no-deps moonshine-voice=={version}")
        text = f"{', '.join(broken)} damaged or missing; type: {again}"
        return Finding("fix", "stt model", text)
    return Finding("ready", "stt model", f"tiny-en, built in (moonshine-voice {version})")


def _embedded() -> Iterator[Finding]:
    """The state of the files of the built-in models, each checked by its digest."""
    right = digests(EMBEDDED)
    whole = [file for file in EMBEDDED if right.get(file.name)]
    if whole:
        names, size = ", ".join(file.path.name for file in whole), sum(file.size for file in whole)
        text = f"{names}; {size_text(size)}, in {whole[0].path.parent}"
        yield Finding("ready", "built-in models", text)
    for file in EMBEDDED:
        if file not in whole:
            text = f"{file.path} is {file.state}; type: {FETCH}"
            # without it, another engine is chosen
            block: Block = "fix" if file.state == "damaged" else "better"
            yield Finding(block, "built-in model", text)


def _model(topic: str, name: str) -> Finding:
    """The state of a model: a name on the hub, or a folder."""
    if (folder := cached(name)) is not None:
        if broken := cut_off(folder):
            again = f"delete {folder} and add --download to get it again"
            return Finding("fix", topic, f"{name}: {', '.join(broken)} cut off or damaged; {again}")
        return Finding("ready", topic, f"{name}, {size_text(folder_bytes(folder))} in {folder}")
    if (folder := begun(name)) is not None:  # some engines need only a part of it
        return Finding("ready", topic, f"{name}, {size_text(folder_bytes(folder))} of it in {folder}")
    text = f"{name} is not in {cache_folder()}; it is fetched at the start, or now with --download"
    return Finding("better", topic, text)


def _servers(arguments: "Arguments") -> Iterator[Finding]:
    for choices in arguments.engines.values():
        for choice in choices:
            if "remote" in choice.spec.devices:
                topic = f"{choice.spec.stage} {choice.spec.name}"
                try:
                    with own_flags(choice.prefix, choice.spec):
                        engine = choice.spec.load()(**choice.settings)
                    with closing(engine):
                        yield Finding("ready", topic, f"{engine.reach()} answers")
                except UserError as error:
                    yield Finding("fix" if len(choices) == 1 else "better", topic, str(error))
    if "s2s" not in arguments.engines and "llm" not in arguments.engines:
        yield from _local_servers(arguments)


def _local_servers(arguments: "Arguments") -> Iterator[Finding]:
    """The servers on this machine, of which one may be the language model."""
    from LLM.auto import advice, find_local_servers

    servers = find_local_servers(arguments.own_ports())
    for server in servers:
        models = ", ".join(server.models) or "no model"
        yield Finding("ready", "llm server", f"{server.name} at {server.base_url} has {models}")
    if not any(server.models for server in servers):
        here = "SmolLM2, very small, makes things up" if SMOLLM2.there else "Eliza is only a stand-in"
        text = f"{here}; {advice(servers)}"
        yield Finding("better", "language model", text)
        yield from _better("llm", "smollm2", arguments.module.language)


def _better(stage: str, engine: str, language: str | None) -> Iterator[Finding]:
    """The best part that the program can fetch in place of a built-in engine."""
    for offer in OFFERS:
        fits = offer.stage == stage and engine in offer.instead_of and offer.source == "hub"
        if fits and not offer.is_here and offer.runs_here(language):
            about = f"{offer.title}: {offer.about} ({size_text(offer.size_bytes)}, {offer.license})"
            yield Finding("better", f"{stage} {offer.name}", f"{about}; type: {offer.command}")
            return


def _ports(arguments: "Arguments") -> Iterator[Finding]:
    for port in arguments.own_ports():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                advice = "end the program that has it, or choose another port"
                yield Finding("fix", "port", f"{port}: {error.strerror}; {advice}")
            else:
                yield Finding("ready", "port", f"{port} is free")


def _others(arguments: "Arguments") -> Iterator[Finding]:
    """The environment variables."""
    for variable in VARIABLES:
        value = os.environ.get(variable)
        shown = "set" if value and variable in SECRET else value
        text = f"{variable} = {shown}" if value else f"{variable} is not set"
        yield Finding("more", "environment", text)
