"""Inputs that nobody would write, by kind of file, through the whole command line: `python -m tests.fuzz --help`."""
