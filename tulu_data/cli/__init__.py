"""The command line: its commands and options, and how results are shown."""
