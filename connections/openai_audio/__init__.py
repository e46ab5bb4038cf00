"""OpenAI's audio API over the loaded recognizer and voice, for programs without a conversation."""
