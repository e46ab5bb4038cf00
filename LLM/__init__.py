"""The language model: what to answer."""
