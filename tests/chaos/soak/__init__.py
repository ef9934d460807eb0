"""The soak test: user actions and faults, both generated from a seed; at the end all invariants must hold.

plan            the user actions and faults, generated from the seed in advance; pure
documents       the documents of a plan as bytes, and the expected text of each
deployment      the processes and their faults, embedded
scaled          the processes and their faults, scaled
event_recorder  a client that records its events across reconnections
users           users that act as planned and record what the server acknowledged
chaos_monkey    the execution of the faults
memory_trend    the memory of each process over time
database_state  the final rows and events
invariants      the comparison of all that; violations as sentences
run             one soak from start to result
"""
