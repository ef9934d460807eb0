"""Names of the measures, and a report about one."""

from typing import NamedTuple

MEASURES = {
    "no_new_privs": "no program can give it more rights",
    "limits": "memory, processor time, file size, descriptors and core dumps are limited",
    "landlock": "it reads its libraries and models only, and writes nothing",
    "seccomp": "it makes only the system calls that decoding needs",
    "capabilities": "it has no rights of the superuser",
    "user": "it runs as a user without files and without other processes",
}
"""The measures in the order of the report, and what each one does."""


class MeasureReport(NamedTuple):
    """Whether a measure is in force; if it is not, why."""

    name: str
    is_in_force: bool
    reason: str = ""
