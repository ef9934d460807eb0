"""Confinement of the process that decodes files of strangers, by the means of the Linux kernel.

The process confines itself before it loads any library. Neither it nor a program that it starts can undo
that. Modules here import the standard library alone, because a library may start threads,
and most measures hold for the thread that takes them and for the threads that it starts later.

__main__.py         entry point: confine this process, then run a module
confinement.py      all measures in their order, and which of them are in force
policy.py           what a confined process may do, as its parent decides it
measures.py         names of the measures, and a report about one
readable_paths.py   files of Python and of the system that a confined process reads
resource_limits.py  limits of memory, processor time, file size, descriptors and processes
privileges.py       no_new_privs, core dumps, capabilities, another user
landlock.py         files, TCP ports and signals (landlock(7))
seccomp.py          system calls (seccomp(2))
system_calls.py     numbers of the system calls, and the profiles
program_runner.py   process beside a confined one that runs the programs of its policy
kernel.py           prctl and system calls by ctypes

Why no library does this: docs/decisions/0133.
"""
