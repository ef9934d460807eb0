"""Guards before sign-in: connections, heads, bodies, proxies, hosts and the log."""

from __future__ import annotations

from . import Mutant

BACKEND = "backend_main/backend"
CORE = "backend_main/core"

MUTANTS = [
    Mutant(
        "c1",
        f"{CORE}/log_filters.py",
        'query = url.find("?", path.end()) + 1 if path else 0',
        'query = max((m.end() for m in re.finditer(r"/ws/[^?]*\\?", url)), default=0)',
        "test_c1_log_redaction.py -k megabyte",
    ),
    Mutant(
        "c1",
        f"{CORE}/log_filters.py",
        "_cut(super().format(record), limit)",
        "super().format(record)",
        "test_c1_log_redaction.py -k cut",
    ),
    Mutant(
        "c3",
        f"{CORE}/http/request_gate.py",
        "if length > limit:",
        "if False:",
        "test_c3_bodies.py -k announced",
    ),
    Mutant(
        "c3",
        f"{CORE}/http/request_body.py",
        "if len(body) > max_bytes:",
        "if False:",
        "test_c3_bodies.py -k before_its_end",
    ),
    Mutant(
        "c3",
        f"{CORE}/http/request_gate.py",
        "await executor.run_in_db_thread(authentication.authenticate_request, scope)\n",
        "pass\n",
        "test_c3_bodies.py -k without_a_token",
    ),
    Mutant(
        "h1",
        f"{BACKEND}/http_protocol.py",
        "self._watch_head(is_partial=True)",
        "pass",
        "test_h1_connections.py -k without_a_byte",
    ),
    Mutant(
        "h1",
        f"{BACKEND}/connection_limits.py",
        "if self._counts[address] >= self._max_per_address:",
        "if False:",
        "test_h1_connections.py -k of_one_address",
    ),
    Mutant(
        "h1",
        f"{BACKEND}/connection_limits.py",
        "if is_full or len(self.half_open) >= MAX_HALF_OPEN:",
        "if False:",
        "test_h1_connections.py -k oldest",
    ),
    Mutant(
        "l2",
        f"{BACKEND}/http_protocol.py",
        "if not all(value.isascii() for name, value in event.headers if name.lower() in DECODED_HEADERS):",
        "if False:",
        "test_l2_malformed_heads.py -k non_ascii",
    ),
    Mutant(
        "l3",
        f"{CORE}/http/request_gate.py",
        "    _set_length(scope, len(body))\n",
        "",
        "test_c3_bodies.py -k l3",
    ),
    Mutant(
        "l7",
        f"{CORE}/http/request_gate.py",
        "            origin.check_host(scope)\n",
        "",
        "test_c3_bodies.py -k foreign_host",
    ),
    Mutant(
        "l8",
        f"{BACKEND}/http_protocol.py",
        r'if head.count(b"\n") != head.count(b"\r\n"):',
        "if False:",
        "test_l2_malformed_heads.py -k bare_line_feed",
    ),
    Mutant(
        "s34",
        f"{BACKEND}/proxy_headers.py",
        "_limit_middleware(application, limits),\n        list(conf.trusted_proxies),",
        "_limit_middleware(application, limits),\n        '*',",
        "test_s34_proxy_headers.py -k names_the_client",
    ),
    Mutant(
        "s34",
        f"{BACKEND}/proxy_headers.py",
        "            await application(scope, receive, send)\n\n    return app if",
        "            await application(with_forwarded_prefix(scope), receive, send)\n\n    return app if",
        "test_s34_proxy_headers.py -k prefix",
    ),
]
