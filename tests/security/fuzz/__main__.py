"""Long run of the fuzzing; see the package."""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
import time

from . import Finding, fuzz

DEFAULT_EXAMPLES = 20_000


def prepare() -> None:
    """Set up Django without a data directory of a user."""
    os.environ["SCANRILL_DATA_DIR"] = tempfile.mkdtemp(prefix="scanrill-fuzz-")
    os.environ["DJANGO_SETTINGS_MODULE"] = "backend_main.backend.settings"
    os.environ["SCANRILL_SECRET_KEY"] = "0123456789abcdef" * 4
    import django

    django.setup()


def main() -> int:
    """Run the chosen parsers, print one line each, and return the number of those with a finding."""
    prepare()
    from .targets import TARGETS

    parser = argparse.ArgumentParser(description="Feed random input to the parsers.")
    parser.add_argument("targets", nargs="*", metavar="target", help=", ".join(TARGETS))
    parser.add_argument("--examples", type=int, default=DEFAULT_EXAMPLES, help="inputs of each parser")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    arguments = parser.parse_args()
    logging.disable(logging.ERROR)  # the layout of damaged pages fails, and is logged
    findings = 0
    for name in arguments.targets or TARGETS:
        start = time.monotonic()
        try:
            fuzz(TARGETS[name], arguments.examples, first=arguments.first)
            result = f"{arguments.examples} inputs without a finding"
        except Finding as finding:
            findings += 1
            result = f"FINDING. {finding}"
        print(f"{name}: {result}, {time.monotonic() - start:.0f} s", flush=True)
    return findings


if __name__ == "__main__":
    raise SystemExit(main())
