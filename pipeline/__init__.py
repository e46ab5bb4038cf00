"""The core: stages, turns, playout. No model library, socket or web framework is imported here."""
