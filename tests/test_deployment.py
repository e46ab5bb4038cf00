"""The deployment page, the image, the compose file and the dashboard must agree with the code."""

import ast
import itertools
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI
from fastapi.routing import APIWebSocketRoute, iter_route_contexts
from prometheus_client.parser import text_string_to_metric_families

import connections.web.app
import connections.web.server
from arguments_classes.socket_arguments import SocketArguments
from command_line.parse import parse_command_line
from testing.server import ScriptedWebServer
from tests.command import ROOT, TIMEOUT_S, tracked
from tests.connections.web.test_websocket_clients import get
from tests.socket_clients import wait_for
from tests.web_client import WebClient
from utils import environment

PAGE = (ROOT / "docs/deployment.md").read_text("utf-8")
COMPOSE_TEXT = (ROOT / "compose.yaml").read_text("utf-8")
COMPOSE = yaml.safe_load(COMPOSE_TEXT)
DASHBOARDS = ROOT / "deploy/grafana/dashboards"
NOT_THE_PROGRAM = ("benchmarks/", "testing/", "tests/", "training/")
ON_THE_LIST = {"utils/environment.py", "commands/check.py"}
"""Files that read the variables named in `environment.VARIABLES` and `environment._CACHES`."""


def first_cells(heading: str) -> str:
    """The first column of the tables under a heading of the page."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return "\n".join(line.split("|")[1] for line in section.splitlines() if line.startswith("|"))


def dockerfile() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, each with its arguments."""
    text = re.sub(r"(?m)^\s*#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8")).replace("\\\n", " ")
    lines = [line.strip().partition(" ") for line in text.splitlines() if line.strip()]
    return [(instruction, rest.strip()) for instruction, _, rest in lines]


def instruction(name: str) -> str:
    """The arguments of the only instruction of this name."""
    (rest,) = [rest for found, rest in dockerfile() if found == name]
    return rest


def kept(name: str) -> bool:
    """True if `.dockerignore` lets a file into the image; it lists the top-level names to let in."""
    rules = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in rules
    return name.split("/")[0] in {rule[1:] for rule in rules if rule.startswith("!")}


class TestEnvironment:
    def test_every_variable_that_is_read_is_explained(self) -> None:
        programs = [name for name in tracked("*.py") if not name.startswith(NOT_THE_PROGRAM)]
        read = {variable for name in programs for variable in self.read_in(name)}
        read |= {*environment.VARIABLES, *environment._CACHES}
        assert {"S2S_TOKEN", "S2S_TOKEN_FILE", "REPLY_MODE", "TRANSFORMERS_VERBOSITY"} <= read
        assert read <= set(re.findall(r"`(\w+)`", first_cells("Environment variables")))

    def read_in(self, name: str) -> Iterator[str]:
        """The environment variables that a file reads, by a literal or by a constant of its own."""
        tree = ast.parse((ROOT / name).read_text("utf-8"))
        made = [named(node) for node in tree.body if isinstance(node, ast.Assign)]
        constants = dict(itertools.chain.from_iterable(made))
        for node in ast.walk(tree):
            key: ast.expr | None = None
            if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
                key = node.slice
            elif isinstance(node, ast.Call) and node.args:
                called = ast.unparse(node.func)
                if called == "os.getenv" or called.startswith("os.environ."):
                    key = node.args[0]
            if isinstance(key, ast.Constant):
                yield str(key.value)
            elif key is not None and name not in ON_THE_LIST:
                yield constants[ast.unparse(key)]

    def test_what_the_build_and_compose_take_is_explained(self) -> None:
        arguments = {rest.partition("=")[0] for name, rest in dockerfile() if name == "ARG"}
        assert {"BASE", "EXTRAS"} <= arguments
        assert arguments <= set(re.findall(r"`(\w+)`", first_cells("The image")))
        assert set(COMPOSE["x-program"]["build"]["args"]) == arguments
        wanted = set(re.findall(r"\$\{(\w+)", COMPOSE_TEXT))
        wanted |= {secret["environment"] for secret in COMPOSE["secrets"].values()}
        assert wanted - set(environment.VARIABLES) <= set(
            re.findall(r"`(\w+)`", first_cells("A laptop"))
        )


def named(node: ast.Assign) -> Iterator[tuple[str, Any]]:
    """The constants that an assignment defines: A = "a", or A, B = "a", "b"."""
    for target in node.targets:
        pairs = [(target, node.value)]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=True))
        for name, value in pairs:
            if isinstance(value, ast.Constant):
                yield ast.unparse(name), value.value


class TestEndpoints:
    @pytest.fixture
    def served(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[FastAPI, int]]:
        """The application of a running server that requires a token, and its port."""
        apps: list[FastAPI] = []
        build = connections.web.app.build_app

        def build_app(*arguments: Any) -> FastAPI:
            apps.append(build(*arguments))
            return apps[-1]

        monkeypatch.setattr(connections.web.server, "build_app", build_app)
        with ScriptedWebServer(token="sesame") as server:
            get(server.port, "/health")  # waits until the server answers
            yield apps[0], server.port

    def explained(self) -> dict[str, str]:
        """Access rules of each endpoint, from the page."""
        found = re.findall(r"^\| `(\w+ /\S*)` \|.*\| ([^|]+) \|$", PAGE, re.M)
        assert len(found) > 5
        return dict(found)

    def endpoints(self, app: FastAPI) -> Iterator[str]:
        """All endpoints served, as the page names them."""
        for route in iter_route_contexts(app.routes):
            kind = {"WS"} if isinstance(route.original_route, APIWebSocketRoute) else {"GET"}
            for method in route.methods or kind:
                yield f"{method} {route.path}"

    def test_every_one_is_explained(self, served: tuple[FastAPI, int]) -> None:
        there = set(self.endpoints(served[0]))
        assert {"GET /health", "WS /ws", "GET /web"} <= there
        assert there <= self.explained().keys()

    def test_those_that_are_said_to_want_a_token_do(self, served: tuple[FastAPI, int]) -> None:
        app, port = served
        for endpoint in self.endpoints(app):
            method, path = endpoint.split()
            if method == "GET":
                refused = get(port, path)[0] == 401
                assert refused == ("token" in self.explained()[endpoint]), endpoint


class TestCompose:
    def settled(self, text: str) -> str:
        """The text with the defaults of its variables filled in."""
        return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)

    def ports(self, service: str) -> list[str]:
        return [self.settled(port) for port in COMPOSE["services"][service]["ports"]]

    def test_the_ports_are_those_of_the_program_and_only_for_this_machine(self) -> None:
        websocket, tcp = self.parsed("s2s"), self.parsed("tcp")
        assert self.ports("s2s") == [f"127.0.0.1:{websocket.port}:{websocket.port}"]
        expected = [f"127.0.0.1:{port}:{port}" for port in (tcp.recv_port, tcp.send_port)]
        assert self.ports("tcp") == expected == ["127.0.0.1:12345:12345", "127.0.0.1:12346:12346"]
        assert isinstance(tcp, SocketArguments)
        exposed = instruction("EXPOSE").split()
        assert exposed == [str(port) for port in (websocket.port, tcp.recv_port, tcp.send_port)]

    def parsed(self, service: str) -> Any:
        """The mode of a service, as the program parses its command."""
        arguments = parse_command_line(
            shlex.split(self.settled(COMPOSE["services"][service]["command"]))
        )
        assert arguments.engines["llm"][0].spec.name == "openai"
        return arguments.mode

    def test_nothing_secret_is_in_it(self) -> None:
        for name, service in COMPOSE["services"].items():
            for variable, value in service.get("environment", {}).items():
                if re.search("TOKEN|KEY|PASSWORD|SECRET", variable):
                    assert str(value).startswith(("${", "/run/secrets/")), f"{name}: {variable}"
        assert all(secret.keys() == {"environment"} for secret in COMPOSE["secrets"].values())

    def test_the_language_model_is_where_the_program_looks_for_it(self) -> None:
        services = COMPOSE["services"]
        assert services["s2s"]["environment"]["OPENAI_BASE_URL"] == "http://llm:8080/v1"
        assert services["llm-gpu"]["networks"]["default"]["aliases"] == ["llm"]
        assert (services["llm"]["profiles"], services["llm-gpu"]["profiles"]) == (["cpu"], ["gpu"])
        assert services["s2s"]["depends_on"].keys() == {"llm", "llm-gpu"}
        (device,) = services["llm-gpu"]["deploy"]["resources"]["reservations"]["devices"]
        assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])

    def test_prometheus_finds_the_program_and_grafana_the_dashboard(self) -> None:
        prometheus, grafana = COMPOSE["services"]["prometheus"], COMPOSE["services"]["grafana"]
        mounted = dict(
            volume.split(":")[:2]
            for service in (prometheus, grafana)
            for volume in service["volumes"]
            if volume.startswith("./")
        )
        for path in mounted:
            assert (ROOT / path).exists(), path
        (job,) = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text())["scrape_configs"]
        assert job["static_configs"] == [{"targets": [f"s2s:{self.parsed('s2s').port}"]}]
        (secret,) = prometheus["secrets"]
        assert job["authorization"]["credentials_file"] == f"/run/secrets/{secret['source']}"
        assert COMPOSE["secrets"][secret["source"]] == {"environment": "S2S_TOKEN"}
        provisioning = ROOT / "deploy/grafana/provisioning"
        (provider,) = yaml.safe_load((provisioning / "dashboards/s2s.yml").read_text())["providers"]
        assert provider["options"]["path"] == mounted[f"./{DASHBOARDS.relative_to(ROOT)}"]
        (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())[
            "datasources"
        ]
        used = set(re.findall(r'"type": "prometheus",\s*"uid": "(\w+)"', dashboard()))
        assert used == {source["uid"]}


def dashboard() -> str:
    (path,) = DASHBOARDS.glob("*.json")
    return path.read_text("utf-8")


def test_the_dashboard_shows_what_there_is() -> None:
    with ScriptedWebServer() as server, WebClient(server.port) as client:
        client.ask()
        client.until("TurnDone")
        server.llm.error_after_words = (0, ValueError("broken"))
        client.send("respond", text="typed")
        client.until("TurnDone")  # by now the error before it has been counted
        page = get(server.port, "/metrics")[2].decode()
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    names = {sample.name for sample in samples} | {"up"}  # added by Prometheus itself
    labels = {label for sample in samples for label in sample.labels} | {"job"}
    said = {(label, value) for sample in samples for label, value in sample.labels.items()}
    queries = [
        target["expr"] for panel in json.loads(dashboard())["panels"] for target in panel["targets"]
    ]
    assert len(queries) > 5
    for query in queries:
        shown = set(re.findall(r"\bs2s_\w+|\bup\b", re.sub('"[^"]*"', "", query)))
        assert shown, query
        assert shown <= names, query
        for group in re.findall(r"by \(([^)]*)\)", query):
            assert set(group.split(", ")) <= labels, query
        for label, value in re.findall(r'(\w+)!?="([^"]*)"', query):
            assert (label, value) in said | {("job", "s2s")}, query


@pytest.mark.slow
class TestImage:
    @pytest.fixture
    def image(self, tmp_path: Path) -> Path:
        """A folder with the program's files in the image."""
        for name in filter(kept, tracked("*")):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
        return tmp_path

    def start(self, image: Path, *flags: str, **variables: str) -> "subprocess.Popen[str]":
        """Start the program as the image does, with no other settings."""
        entrypoint = json.loads(instruction("ENTRYPOINT")) + json.loads(instruction("CMD"))
        outer = {name: value for name, value in os.environ.items() if not name.startswith("S2S_")}
        return subprocess.Popen(
            [sys.executable, *entrypoint[1:], *flags],
            cwd=image,
            env=outer | variables,
            stderr=subprocess.PIPE,
            text=True,
        )

    def test_without_a_token_it_does_not_start(self, image: Path) -> None:
        with self.start(image) as program:
            try:
                assert "S2S_TOKEN" in program.communicate(timeout=TIMEOUT_S)[1]
            finally:
                program.kill()
        assert program.returncode == 2

    def test_with_one_it_becomes_healthy_and_heeds_sigterm(self, image: Path) -> None:
        flags = ("--host", "127.0.0.1", "--port", "0", "--llm", "eliza", "--tts", "espeak")
        with self.start(image, *flags, S2S_TOKEN="sesame") as program:
            try:
                assert program.stderr is not None
                said = next(line for line in program.stderr if "open http" in line)
                port = said.partition("127.0.0.1:")[2].partition("/")[0]
                wait_for(lambda: self.is_healthy(port), "the program to be healthy")
            finally:
                program.send_signal(signal.SIGTERM)
                program.communicate()
        assert program.returncode == 130
        assert not self.is_healthy(port)

    def is_healthy(self, port: str) -> bool:
        """True if the image's health check passes for a program on this port instead of its own."""
        check = json.loads(instruction("HEALTHCHECK").partition("CMD ")[2])
        assert check[:2] == ["python", "-c"]
        asks = [sys.executable, "-c", check[2].replace("8000", port)]
        return subprocess.run(asks, capture_output=True, check=False).returncode == 0

    def test_the_weights_are_fetched_before_the_rest_is_copied(self, tmp_path: Path) -> None:
        """With the files that the first COPY instructions name, so that a change elsewhere does not
        fetch everything again."""
        for name, rest in dockerfile():
            if name == "COPY" and "--from" not in rest and not rest.startswith("."):
                *sources, folder = rest.split()
                (tmp_path / folder).mkdir(exist_ok=True)
                for source in sources:
                    shutil.copy(ROOT / source, tmp_path / folder)
        offline = {
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": "",
            "MODEL_CACHE_DIR": str(tmp_path / "models"),
        }
        asked = [
            sys.executable,
            "-P",
            "-c",
            "import runpy, sys; sys.path[:0] = ['.']; "
            "runpy.run_module('catalog.weights', run_name='__main__')",
        ]
        ended = subprocess.run(
            asked, cwd=tmp_path, env=os.environ | offline, capture_output=True, text=True, check=False
        )
        assert "no package index is configured" in ended.stderr
        assert ended.returncode == 1

    def test_what_is_copied_into_it_is_there(self) -> None:
        for name, rest in dockerfile():
            if name == "COPY" and "--from" not in rest:
                for source in rest.split()[:-1]:
                    assert source == "." or (kept(source) and (ROOT / source).exists()), source
