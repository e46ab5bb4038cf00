"""The browser page and its WebSocket."""
