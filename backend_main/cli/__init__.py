"""Command line of scanrill: one module per command, and `main` with the list of all commands.

Commands parse their arguments, set up Django if they need it, and call `core` or `reading`. They may import
everything below them. `main` imports the commands; each command imports Django when it runs.

Exit codes: 0 success, 1 failure with one line on standard error, 2 wrong usage.
"""
