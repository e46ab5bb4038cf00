"""The language models that there are."""

from pipeline.registry import EngineRow

MENU = (
    EngineRow(
        "llm",
        "openai",
        "any server that speaks the OpenAI chat protocol",
        "LLM.openai_chat:OpenAIChatModel",
        "arguments_classes.openai_arguments:OpenAIArguments",
        aliases=("open_api", "open_api_"),
        needs=("openai",),
        devices=("remote",),
        languages="as the model",
        streams="word by word",
        licence="Apache-2.0; as the model",
        tested="a server in the tests",
    ),
    EngineRow(
        "llm",
        "transformers",
        "a model of the Hugging Face hub, in this process",
        "LLM.transformers_chat:TransformersChatModel",
        "arguments_classes.transformers_arguments:TransformersArguments",
        aliases=("lm_",),
        needs=("transformers", "torch"),
        extra="transformers",
        long_in_python=True,
        devices=("cuda", "mps", "cpu"),
        languages="as the model",
        streams="word by word",
        size="1.5 GB",
        licence="Apache-2.0; as the model (the default: Apache-2.0)",
        tested="tiny random weights",
    ),
    EngineRow(
        "llm",
        "eliza",
        "a stand-in that needs no model, from 1966",
        "LLM.eliza:ElizaModel",
        needs=("nltk",),
        languages="en",
        licence="Apache-2.0; none",
        tested="real weights",
    ),
)
