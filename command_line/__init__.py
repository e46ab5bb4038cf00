"""The command line and its JSON file, parsed into the configuration of a run."""
