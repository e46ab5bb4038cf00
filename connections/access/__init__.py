"""Access to a server: credentials, limits, and the registry of clients."""
