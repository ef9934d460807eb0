"""scanrill: a server that reads scans and streams their text while it is being read."""

__version__ = "0.1.0"
