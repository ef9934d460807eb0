"""The `scanrill` command. Exit codes: 0 done, 1 refused or failed with one line on standard error, 2 usage."""
