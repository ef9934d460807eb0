"""Guards of frames, messages and closed connections."""

from __future__ import annotations

from . import Mutant

PROTOCOL = "backend_main/backend/websocket_protocol.py"

MUTANTS = [
    Mutant(
        "h2",
        PROTOCOL,
        "or not self.writable.is_set() or self.close_sent",
        "or self.close_sent",
        "test_h2_frames.py -k not_read",
    ),
    Mutant(
        "h3",
        "backend_main/core/protocol/parsing.py",
        "    if len(text) > MAX_ENVELOPE_CHARACTERS:\n",
        "    if False:\n",
        "test_h3_json_memory.py -k around",
    ),
    Mutant(
        "h4",
        PROTOCOL,
        '            self.scope["extensions"].pop(SERVER_CONNECTION, None)\n',
        "            pass\n",
        "test_h4_unfinished_messages.py -k freed",
    ),
    Mutant(
        "h5",
        "backend_main/core/fair_sharing.py",
        "min(eligible, key=lambda user: (self._held[user], self._marks.get(user, -math.inf)))",
        "eligible[0]",
        "test_h5_large_messages.py -k fewest",
    ),
    Mutant(
        "l8",
        PROTOCOL,
        "return len(keys) == 1 and",
        "return",
        "test_l8_protocol_errors.py -k two",
    ),
    Mutant(
        "s35",
        "backend_main/core/consumers.py",
        '{"server": "Internal server error. See the server log."}',
        '{"server": str(__import__("sys").exc_info()[1])}',
        "test_s35_error_messages.py -k defect",
    ),
    Mutant(
        "s12",
        PROTOCOL,
        "        self.transport.abort()\n",
        "        self.transport.close()\n",
        "test_s12_aborted_connections.py",
    ),
]
