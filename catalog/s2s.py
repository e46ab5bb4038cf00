"""Catalog: the speech-to-speech engines."""

from catalog.registry import EngineSpec

CATALOG = (
    EngineSpec(
        "s2s",
        "openai-audio",
        "any server whose chat API accepts speech and answers with speech",
        "S2S.openai_audio:OpenAIAudioResponder",
        "arguments_classes.openai_audio_arguments:OpenAIAudioArguments",
        needs=("openai",),
        features=("conversation", "typed text", "tools", "its words"),
        devices=("remote",),
        languages="as the model",
        streams="audio, as the server sends it",
        license="Apache-2.0; as the model",
        tested="a server in the tests",
        remarks="GPT audio models, Qwen-Omni on vLLM-Omni and similar; calls functions; adapts to the "
        "server as `--llm openai` does. Such servers return no transcript of the user's speech, so only "
        "the words of the answers are shown and remembered",
    ),
    EngineSpec(
        "s2s",
        "tone",
        "TEST TONE: checks the audio path without a model",
        "S2S.tone:ToneResponder",
        placeholder=True,
        languages="any",
        streams="frame by frame, with `--reply_mode stream`",
        license="Apache-2.0; none",
        tested="real weights",
    ),
    EngineSpec(
        "s2s",
        "moshi",
        "Kyutai's Moshi: listens while it speaks, on a GPU with 24 GB",
        "S2S.moshi:MoshiModel",
        "arguments_classes.moshi_arguments:MoshiArguments",
        environment="moshi",
        duplex=True,
        features=("its words",),
        devices=("cuda", "cpu"),
        languages="en",
        streams="in frames of 80 ms",
        size="15.8 GB",
        license="MIT; CC-BY-4.0",
        tested="tiny random weights",
        remarks="moshiko has a male voice, moshika (`--s2s_model_name`) a female one. Models derived "
        "from these two load if they need only Kyutai's package. Hibiki, quantized weights and "
        "PersonaPlex (made for a modified copy of the package) are refused. Computed, not measured: 7.7 "
        "billion parameters in bfloat16 are 15.4 GB. They are read once for each frame, so real time "
        "takes 192 GB/s, which rules out a CPU. With 1.6 GB of state for each conversation "
        "(`--s2s_sessions`) and 1.5 GB for everything else, a GPU with 24 GB has room for four "
        "conversations, if it also computes four frames in 80 ms (at 1 TB/s, reading the weights takes "
        "15 ms for each frame)",
    ),
    EngineSpec(
        "s2s",
        "seamless",
        "an interpreter: repeats what you say in one of 36 languages",
        "S2S.seamless:SeamlessResponder",
        "arguments_classes.seamless_arguments:SeamlessArguments",
        needs=("torch", "sentencepiece"),
        extra="seamless",
        features=("its words",),
        long_in_python=True,
        devices=("cuda", "mps", "cpu"),
        languages="hears about 100, speaks 36",
        streams="phrase by phrase while you speak, with `--reply_mode stream`",
        size="9.2 GB",
        license="Apache-2.0 (Transformers); CC-BY-NC-4.0",
        tested="tiny random weights",
        remarks="SeamlessM4T v2. It translates into `--s2s_target_language` or the language of the "
        "session, and detects the language that is spoken. Nothing is heard before a whole phrase is "
        "translated. Speech of over 20 s is translated in parts; speech of over ten minutes is "
        "refused. 1.8 of its 2.3 billion weights are used, 3.6 GB on a GPU (computed)",
    ),
    EngineSpec(
        "s2s",
        "qwen-omni",
        "Qwen2.5-Omni: hears, thinks and speaks in one model",
        "S2S.qwen_omni:QwenOmniResponder",
        "arguments_classes.qwen_omni_arguments:QwenOmniArguments",
        needs=("torch",),
        extra="qwen-omni",
        features=("conversation", "typed text", "its words"),
        long_in_python=True,
        devices=("cuda", "mps", "cpu"),
        languages="speaks en, zh; understands more",
        size="about 12 GB",
        license="Apache-2.0 (Transformers); Qwen Research (3B: not for commercial use), Apache-2.0 (7B)",
        tested="tiny random weights",
        remarks="`--s2s_model_name Qwen/Qwen2.5-Omni-7B` is larger, about 22 GB. Nothing is heard "
        "before the whole answer is generated, so ask for short answers (`--init_chat_prompt`). The "
        "instructions begin with a sentence that Qwen requires; yours follow it. The model does not "
        "hear the user's earlier speech again: of earlier turns, it reads only its own answers",
    ),
    EngineSpec(
        "s2s",
        "realtime",
        "any server that speaks the OpenAI Realtime protocol",
        "S2S.realtime.model:RealtimeModel",
        "arguments_classes.realtime_arguments:RealtimeArguments",
        needs=("openai", "websockets"),
        duplex=True,
        features=("conversation", "typed text", "tools", "your words", "its words"),
        devices=("remote",),
        languages="as the model",
        streams="audio, text and transcripts, as the server sends them",
        license="Apache-2.0; as the model",
        tested="a server in the tests",
        remarks="OpenAI's, vLLM-Omni's, or another instance of this program. The server detects the "
        "turns; interruption, tools and typed text work as with separate engines",
    ),
)
