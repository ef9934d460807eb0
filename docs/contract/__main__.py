"""Command that writes the contracts: `python -m docs.contract`."""

from . import write

if __name__ == "__main__":
    write()
