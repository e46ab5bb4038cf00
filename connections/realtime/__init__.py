"""The OpenAI Realtime protocol; docs/realtime.md lists the parts that are supported."""
