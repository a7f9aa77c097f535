"""The command line: one module per command, each reading, computing, rendering and writing.

Every Tab press starts Python, so numpy, scipy, rich, yaml and the modules that need them are imported inside the
command that uses them; a lint rule and a test on `sys.modules` guard this.
"""
