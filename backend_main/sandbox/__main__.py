"""Entry point: confine this process, then run a module in it.

    python -m backend_main.sandbox POLICY MODULE [ARGUMENT]…

POLICY is JSON of `policy.Policy`; empty: the module runs without confinement.
"""

import runpy
import sys

from . import confinement
from .policy import Policy
from .resource_limits import prefer_as_oom_victim


def main() -> None:
    """Confine this process and run the module."""
    _, policy, module, *arguments = sys.argv
    prefer_as_oom_victim()
    if policy:
        confinement.begin(Policy.from_json(policy))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


main()
