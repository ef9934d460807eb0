"""The `scanrill` command. Exit codes: 0 done, 1 refused or failed in one line on standard error, 2 usage."""
