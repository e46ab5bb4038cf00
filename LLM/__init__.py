"""The language model: from the words of the user to the answer."""
