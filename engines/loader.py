"""Loader: turns the chosen engines into loaded ones."""

import dataclasses
import importlib
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.offers import OFFERS, Offer
from catalog.people import as_configured, people_of
from catalog.registry import find
from catalog.weights import FETCH, SMART_TURN
from command_line.chosen import ChosenEngine, engine_settings
from command_line.later_engines import own_flags
from engines.ears import require_ears
from engines.engines import Cascade, Duplex, Engines, Live, Responder, Voice
from engines.failover_chat_model import FailoverChatModel
from engines.failover_recognizer import FailoverRecognizer
from engines.failover_responder import FailoverResponder
from engines.failover_synthesizer import FailoverSynthesizer
from engines.isolation.engines import isolate
from engines.named_voices import NamedVoices
from engines.script_fallback import ScriptFallback
from engines.starting import start, warm_up
from LLM.base import ChatModel, JudgingChatModel
from LLM.chat import Chat
from pipeline.engine_info import DuplexInfo, LiveInfo
from pipeline.errors import EngineError, Unavailable, UserError
from pipeline.language import ANY
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from S2S.realtime.chat import ServedChat
from TTS.base import Synthesizer
from utils.noise_suppressor import NoiseSuppressor, expect_noise_suppressor
from utils.streams import tell
from VAD.base import SentenceJudge, TurnDetector
from VAD.turn_judges import NO_JUDGES, TurnJudges

if TYPE_CHECKING:
    from command_line.arguments import Arguments
    from LLM.auto import LocalServer

_FAILOVER: dict[str, Callable[[list[Any], float], Any]] = {
    "stt": FailoverRecognizer,
    "llm": FailoverChatModel,
    "tts": FailoverSynthesizer,
    "s2s": FailoverResponder,
}


def load_engines(arguments: "Arguments") -> Engines:
    """Load the chosen engines, all at once. Raises `UserError`."""
    if arguments.module.audio_enhancement:
        expect_noise_suppressor()
    importlib.import_module("transformers")  # on one thread: two at once would see half of it
    hints: dict[str, str] = {}
    loaded, chosen, turn_judges = _load_all(arguments, hints)
    require_audio_model(chosen, loaded)
    if "stt" in loaded:
        require_ears(loaded["stt"], arguments.module.language)
    return Engines(
        loaded.get("vad"),
        _endpointing(arguments),
        _voice(arguments, loaded),
        turn_judges,
        NoiseSuppressor if arguments.module.audio_enhancement else None,
        hints=hints,
    )


def _load_all(
    arguments: "Arguments", hints: MutableMapping[str, str]
) -> tuple[dict[str, Any], dict[str, Sequence[ChosenEngine]], TurnJudges]:
    """The engine of each stage, each loaded on a thread of its own, with the choices that loaded, and
    the judges of turns, which may use the language model."""
    stages, found = arguments.engines, {}
    with ThreadPoolExecutor(len(stages) + 1) as loaders:
        loading = {stage: loaders.submit(load_stage, arguments, stage) for stage in stages}
        if "llm" not in stages and "s2s" not in stages:
            found["llm"] = loaders.submit(choose_language_model, arguments, hints)
        pairs = {stage: future.result() for stage, future in loading.items()}
        loaded = {stage: engine for stage, (engine, _) in pairs.items()}
        loaded |= {stage: future.result() for stage, future in found.items()}
    chosen = {stage: choices for stage, (_, choices) in pairs.items()}
    hints.update({stage: choices[0].why for stage, choices in chosen.items()})
    if "vad" not in loaded:
        return loaded, chosen, NO_JUDGES
    return loaded, chosen, load_turn_judges(arguments.vad.turn_detector, loaded.get("llm"))


def _endpointing(arguments: "Arguments") -> EndpointerSettings:
    """The flags of the VAD stage, less those that choose and load its models."""
    settings = dataclasses.asdict(arguments.vad)
    for name in ("sample_rate", "turn_detector"):
        del settings[name]
    return EndpointerSettings(**settings)


def _voice(arguments: "Arguments", loaded: Mapping[str, Any]) -> Voice:
    """The engines that turn speech into an answer: one, or three in a row."""
    chat_settings = dataclasses.asdict(arguments.chat)

    def new_chat() -> Chat:
        return Chat(**chat_settings)

    if "s2s" not in loaded:
        stt, llm, tts = (SharedEngine(loaded[stage]) for stage in ("stt", "llm", "tts"))
        return Cascade(stt, llm, tts, new_chat)
    if isinstance(loaded["s2s"].info, DuplexInfo):
        return Duplex(SharedEngine(loaded["s2s"]))
    if isinstance(loaded["s2s"].info, LiveInfo):
        return Live(SharedEngine(loaded["s2s"]), lambda: ServedChat(**chat_settings))
    return Responder(SharedEngine(loaded["s2s"]), new_chat)


def load_engine(arguments: "Arguments", stage: str) -> Any:
    """The engine of a stage, loaded: one, or a failover of several. Of several, those that this machine
    lacks are left out. Raises `UserError`."""
    return load_stage(arguments, stage)[0]


def load_stage(arguments: "Arguments", stage: str) -> tuple[Any, Sequence[ChosenEngine]]:
    """The engine of a stage, as `load_engine` has it, and the choices of which it consists."""
    choices = arguments.engines[stage]
    may_lack = len(choices) > 1 and not arguments.module.download
    engines, kept, lacking = [], [], {}
    for choice in choices:
        try:
            engines.append(_load_chosen(arguments, choice))
            kept.append(choice)
        except UserError as error:
            if not choice.dispensable and not (may_lack and isinstance(error, Unavailable)):
                raise
            lacking[choice.spec.name] = str(error)
    if not engines:
        reasons = "; ".join(lacking.values())
        raise UserError(f"--{stage}: none of these engines can start: {reasons}")
    for name, reason in lacking.items():
        tell(f"{name} is left out: {arguments.file.named(reason)}")
    if len(engines) == 1:
        return engines[0], kept
    return _FAILOVER[stage](engines, getattr(arguments.failover, f"failover_{stage}_s")), kept


def _load_chosen(arguments: "Arguments", choice: ChosenEngine) -> Any:
    spec, device = choice.spec, arguments.module.device
    if spec.stage == "vad":
        return spec.load()(arguments.vad.sample_rate, **choice.settings)
    people = people_of(spec.name) if spec.stage == "tts" else {}
    settings = as_configured(choice.settings, people)
    with own_flags(choice.prefix, spec):
        if arguments.module.isolates(spec):
            engine: Any = isolate(spec, settings, device)
        else:
            engine = start(spec.load(), settings, device, spec.stage, spec.devices)
    if spec.stage == "tts":
        engine = _with_scripts(_with_forms(engine, choice), choice)
    return NamedVoices(engine, people) if people else engine


def _with_forms(engine: Synthesizer, choice: ChosenEngine) -> Synthesizer:
    """The synthesizer; it gets written forms in words if it does not read them itself."""
    if engine.info.reads_written_forms:
        return engine
    from engines.spoken_forms import SpokenForms  # here: importing Babel takes 35 ms, also for --help

    return SpokenForms(engine, choice.settings.get("voice"), choice.settings.get("language"))


def _with_scripts(engine: Synthesizer, choice: ChosenEngine) -> Synthesizer:
    """The synthesizer, with eSpeak for the scripts that it cannot read, if eSpeak is installed."""
    espeak = find("tts", "espeak")
    if ANY in engine.info.languages or espeak.missing():
        return engine
    new_reader = espeak.load() if choice.spec != espeak else lambda: engine
    settings = choice.settings
    return ScriptFallback(engine, new_reader, settings.get("voice"), settings.get("language"))


def require_audio_model(chosen: Mapping[str, Sequence[ChosenEngine]], loaded: Mapping[str, Any]) -> None:
    """Raise `UserError` if neither a recognizer nor the language model hears the user."""
    deaf = any(choice.spec.name == "none" for choice in chosen.get("stt", ()))
    if deaf and not loaded["llm"].info.hears:
        raise UserError(
            f"--stt none: expected a language model that hears, such as --llm openai --llm_model_name "
            f"gpt-audio, got {loaded['llm'].info.name}"
        )


def load_turn_judges(wanted: str, model: ChatModel | None) -> TurnJudges:
    """The models that judge the end of a turn: those that are wanted; by default, and with another file
    of Smart Turn, all that can be loaded. Without a language `model` (with an end-to-end engine) there
    are no words to judge."""
    by_ear = by_words = None
    left_out = ""
    if wanted not in ("words", "silence"):
        try:
            by_ear = _judge_by_ear(wanted)
        except UserError as error:
            if wanted != "auto":
                raise
            left_out = f"; not by the sound, since {error}"
    if wanted == "words" and model is None:
        raise UserError("--turn_detector words: expected a recognizer, but --s2s does without; use auto")
    if model is not None and wanted not in ("audio", "silence"):
        try:
            by_words = _judge_by_words(model)
        except (UserError, ImportError) as error:
            if wanted == "words":
                raise
            left_out += f"; not by the words, since {error}"
    if left_out:
        tell(f"{_ABOUT_JUDGES[bool(by_ear), bool(by_words)]}{left_out}")
    return TurnJudges(by_ear, by_words)


_ABOUT_JUDGES = {
    (True, False): "only the sound tells whether you have finished",
    (False, True): "only the words tell whether you have finished",
    (False, False): "only a pause ends your turn",
}


def _judge_by_ear(wanted: str) -> SharedEngine[TurnDetector]:
    """Smart Turn, of the built-in file unless another is named. Raises `UserError`."""
    from VAD.smart_turn import SmartTurnDetector

    if wanted not in ("auto", "audio"):
        path = Path(wanted).expanduser()
        if not path.is_file():
            raise UserError(
                f"--turn_detector: expected auto, audio, words, silence or an ONNX file, got {wanted!r}"
            )
        return SharedEngine(SmartTurnDetector(str(path)))
    if not SMART_TURN.there:
        raise UserError(f"{SMART_TURN.path} is {SMART_TURN.state}; type: {FETCH}")
    try:
        return SharedEngine(SmartTurnDetector(str(SMART_TURN.path)))
    except UserError as error:
        raise UserError(f"{SMART_TURN.path} is damaged; type: {FETCH}") from error


def _judge_by_words(model: ChatModel) -> SharedEngine[SentenceJudge]:
    if isinstance(model, JudgingChatModel):
        return SharedEngine(model.sentence_judge())
    from LLM.sentence_end import SmolLM2SentenceJudge

    return SharedEngine(SmolLM2SentenceJudge())


def choose_language_model(arguments: "Arguments", hints: MutableMapping[str, str]) -> ChatModel:
    """`--llm auto`: a server on this machine, else the built-in model, else Eliza; never a remote
    server. The way to a better one goes into `hints`."""
    from LLM import auto

    wanted = arguments.auto["model_name"]
    servers = auto.find_local_servers(arguments.own_ports())
    for server in servers:
        for model in server.models:
            if wanted in (None, model):
                return _served_language_model(arguments, server, model)
    if wanted is not None:
        found = ", ".join(model for server in servers for model in server.models) or "none"
        raise UserError(
            f"--llm_model_name: expected a model of a server on this machine ({found}), got {wanted}; "
            "for a server elsewhere use --llm openai --llm_base_url"
        )
    if (fetched := _fetched_language_model(arguments, hints)) is not None:
        return fetched
    hints["llm"] = auto.advice(servers)
    return _embedded_language_model()


def load_offer(arguments: "Arguments", offer: Offer) -> Any:
    """A better part that was fetched, loaded and warm. Raises `UserError` or `EngineError`."""
    if offer.source == "ollama":
        from LLM.ollama import expect_ollama

        model = _served_language_model(arguments, expect_ollama(), offer.model)
        warm_up(model)  # loads it into the server's memory
        return model
    spec = find(offer.stage, offer.engine)
    flags = spec.argument_class()
    settings = engine_settings(offer.stage, None if flags is None else flags())
    chosen = ChosenEngine(spec, {**settings, **offer.settings}, f"{offer.stage}_")
    return _load_chosen(arguments, chosen)


def _served_language_model(arguments: "Arguments", server: "LocalServer", model: str) -> ChatModel:
    from LLM.openai_chat import OpenAIChatModel

    settings = {name: value for name, value in arguments.auto.items() if name != "model_name"}
    return OpenAIChatModel(model, server.base_url, key="none", **settings)


def _fetched_language_model(arguments: "Arguments", hints: MutableMapping[str, str]) -> ChatModel | None:
    """A better model than the built-in one that an offer has fetched; None: there is none."""
    for offer in OFFERS:
        if offer.stage == "llm" and offer.is_here and offer.runs_here(arguments.module.language):
            try:
                model: ChatModel = load_offer(arguments, offer)
            except (UserError, EngineError) as error:
                tell(f"{offer.title} is left out: {error}")
                continue
            hints["llm"] = f"{offer.model} is in the cache; for the built-in model: --llm smollm2"
            return model
    return None


def _embedded_language_model() -> ChatModel:
    """The built-in language model; Eliza if that cannot be loaded."""
    spec = find("llm", "smollm2")
    try:
        model: ChatModel = start(spec.load(), {}, "cpu", spec.stage, spec.devices)
    except (UserError, ImportError) as error:
        tell(f"Eliza stands in for a language model, since {error}")
        from LLM.eliza import ElizaModel

        return ElizaModel()
    return model
