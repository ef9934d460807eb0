"""Wiring only: which parts make up the server. No logic."""
