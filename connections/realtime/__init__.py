"""The OpenAI Realtime protocol: docs/realtime.md says what of it is here."""
