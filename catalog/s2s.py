"""Catalog: the speech-to-speech engines."""

from catalog.registry import EngineSpec

CATALOG = (
    EngineSpec(
        "s2s",
        "openai-audio",
        "any server that takes speech in a chat and answers with speech",
        "S2S.openai_audio:OpenAIAudioResponder",
        "arguments_classes.openai_audio_arguments:OpenAIAudioArguments",
        needs=("openai",),
        devices=("remote",),
        languages="as the model",
        streams="audio in mid-sentence, in the order in which it comes",
        license="Apache-2.0; as the model",
        tested="a server in the tests",
        remarks="GPT audio models, Qwen-Omni on vLLM-Omni and the like; calls functions; adapts to the "
        "server as `--llm openai` does. Such servers do not tell the user's words: they are neither "
        "shown nor remembered, while those of the answers are",
    ),
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
)
