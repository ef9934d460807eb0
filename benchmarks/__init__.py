"""Benchmarks of speed, accuracy and memory. README.md has the tables.

The modules may import everything, also `tests.support`. Nothing imports them.
"""
