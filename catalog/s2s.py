"""Catalog: the speech-to-speech engines."""

from catalog.registry import EngineSpec

CATALOG = (
    EngineSpec(
        "s2s",
        "tone",
        "TEST TONE: checks the audio path without a model",
        "S2S.tone:ToneResponder",
        languages="any",
        streams="frame by frame",
        license="Apache-2.0; none",
        tested="real weights",
    ),
    EngineSpec(
        "s2s",
        "realtime",
        "any server that speaks the OpenAI Realtime protocol",
        "S2S.realtime.model:RealtimeModel",
        "arguments_classes.realtime_arguments:RealtimeArguments",
        needs=("openai", "websockets"),
        duplex=True,
        devices=("remote",),
        languages="as the model",
        streams="audio, words and text as the server sends them",
        license="Apache-2.0; as the model",
        tested="a server in the tests",
        remarks="OpenAI's own, vLLM-Omni, another instance of this program. The server detects the "
        "turns; interruption, tools and typed text work as with the cascade",
    ),
)
