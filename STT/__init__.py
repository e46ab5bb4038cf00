"""Speech to text: from the user's utterance to the words."""
