"""The command line and its JSON file, from arguments to a configuration."""
