"""Commands that end without a conversation: check, download, list_voices, install."""
