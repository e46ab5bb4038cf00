"""The command line and its JSON file, from what was typed to the configuration of a run."""
