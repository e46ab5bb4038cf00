"""The language model: from the user's words to the answer."""
