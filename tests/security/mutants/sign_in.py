"""Guards of sign-in, sessions, tokens, keys and secrets."""

from __future__ import annotations

from . import Mutant

AUTH = "backend_main/core/auth"
HTTP = "backend_main/core/http"
S38 = "test_s38_api_keys.py -k "

MUTANTS = [
    Mutant(
        "c2",
        f"{AUTH}/passwords.py",
        "            self._limit_of_address(client.address),\n",
        "",
        "test_c2_sign_in_work.py -k new_names",
    ),
    Mutant(
        "c2",
        f"{AUTH}/passwords.py",
        '            Limit.of(conf.password_tries_in_all, "all"),\n',
        "",
        "test_c2_sign_in_work.py -k together",
    ),
    Mutant(
        "c2",
        f"{AUTH}/passwords.py",
        "if self._waiting >= MAX_WAITING_CHECKS:",
        "if False:",
        "test_c2_sign_in_work.py -k few_wait",
    ),
    Mutant(
        "c2",
        f"{HTTP}/json_view.py",
        "max_body_bytes: ClassVar[int] = 16 * 1024",
        "max_body_bytes: ClassVar[int] = 64 * 1024",
        "test_c2_sign_in_work.py -k 16_kib",
    ),
    Mutant(
        "m4",
        f"{AUTH}/passwords.py",
        "if client.device:\n            return",
        "if False:\n            return",
        "test_m4_name_lockout.py -k before",
    ),
    Mutant(
        "m4",
        f"{AUTH}/passwords.py",
        '            Limit.of(conf.password_tries_per_name, "name", name),\n',
        "",
        "test_m4_name_lockout.py -k under_attack",
    ),
    Mutant(
        "m4",
        f"{HTTP}/sign_in_cookies.py",
        "return device if device and name_digest == _digest(name) else None",
        "return device",
        "test_m4_name_lockout.py -k forged",
    ),
    Mutant(
        "m4",
        f"{AUTH}/attempts.py",
        "if wait == 0 then",
        "if true then",
        "test_m4_name_lockout.py -k exact_over",
    ),
    Mutant(
        "m2",
        f"{AUTH}/sessions.py",
        "    live.update(ended_at=now)\n    return None",
        "    return None",
        "test_m2_sessions.py -k grace",
    ),
    Mutant(
        "m2",
        f"{AUTH}/sessions.py",
        "generation = session.generation + 1",
        "generation = session.generation",
        "test_m2_sessions.py -k grace or tabs",
    ),
    Mutant(
        "m2",
        f"{AUTH}/accounts.py",
        "and credential_id not in account.ended_ids",
        "",
        "test_m2_sessions.py -k sign_out or sockets",
    ),
    Mutant(
        "m2",
        "backend_main/core/live/hub.py",
        "connection.issued_at, connection.credential_id)",
        "connection.issued_at)",
        "test_m2_sessions.py -k sockets",
    ),
    Mutant(
        "m2",
        f"{AUTH}/sessions.py",
        "    live = Session.objects.filter(pk=session_id, user=user, ended_at=None)\n    return bool",
        "    live = Session.objects.filter(pk=session_id, ended_at=None)\n    return bool",
        "test_m2_sessions.py -k another_user",
    ),
    Mutant(
        "m2",
        f"{AUTH}/user_admin.py",
        "update(is_active=False)\n        sessions.end_all(user)\n",
        "update(is_active=False)\n",
        "test_m2_sessions.py -k activation",
    ),
    Mutant(
        "m2",
        f"{AUTH}/sessions.py",
        "uuid.uuid5(_LEGACY_NAMESPACE, raw_token), sha256",
        "uuid.uuid4(), sha256",
        "test_m2_sessions.py -k before_sessions",
    ),
    Mutant(
        "s38",
        f"{AUTH}/api_keys.py",
        ", revoked_at=None)\n\n\ndef _check",
        ")\n\n\ndef _check",
        S38 + "revoked",
    ),
    Mutant("s38", f"{AUTH}/api_keys.py", ", owner__is_active=True", "", S38 + "inactive"),
    Mutant("s38", f"{AUTH}/api_keys.py", "digest=sha256_hex(secret),\n", "digest=secret,\n", S38 + "digest"),
    Mutant(
        "s38", f"{AUTH}/api_keys.py", "filter(pk=key_id, owner=owner, ", "filter(pk=key_id, ", S38 + "another"
    ),
    Mutant(
        "s38", f"{AUTH}/authentication.py", "if needed not in identity.scopes:", "if False:", S38 + "scope"
    ),
    Mutant(
        "s38", f"{AUTH}/authentication.py", "if identity.key_id is not None:", "if False:", S38 + "manage"
    ),
    Mutant("s38", f"{AUTH}/credentials.py", 'None if b"origin" in headers else ', "", S38 + "credential_of"),
    Mutant(
        "s38", f"{AUTH}/accounts.py", "WHERE revoked_at IS NOT NULL AND", "WHERE", S38 + "password_change"
    ),
    Mutant(
        "s38",
        "backend_main/core/log_filters.py",
        r'_API_KEY.sub(r"\1[redacted]", _PATH_KEY.sub(r"\1[redacted]", text))',
        "text",
        S38 + "log_line",
    ),
    Mutant(
        "s06",
        "backend_main/backend/settings.py",
        '    "LEEWAY": conf.jwt_leeway_seconds,\n',
        "",
        "test_s06_clock_skew.py",
    ),
    Mutant(
        "l1",
        f"{AUTH}/tokens.py",
        "return isinstance(value, (int, float)) and",
        "return True or",
        "test_l1_malformed_input.py -k 401",
    ),
    Mutant(
        "l1",
        f"{AUTH}/tokens.py",
        "except Exception as error:",
        "except KeyError as error:",
        "test_s05_tokens.py -k authenticate_with_forged",
    ),
    Mutant(
        "l1",
        f"{HTTP}/rest.py",
        " and len(limit) <= MAX_LIMIT_DIGITS",
        "",
        "test_l1_malformed_input.py -k digits",
    ),
    Mutant(
        "h12",
        f"{AUTH}/jwks.py",
        "                self.prefetch()\n            return key",
        "                self._wait(self.prefetch())\n            return key if self._is_current else None",
        "test_h12_jwks.py -k hangs",
    ),
    Mutant(
        "h12",
        f"{AUTH}/jwks.py",
        "time.monotonic() >= self._next_fetch_at",
        "True",
        "test_h12_jwks.py -k cooldown",
    ),
    Mutant(
        "h12",
        f"{AUTH}/jwks.py",
        "self._waiting.acquire(blocking=False)",
        "True",
        "test_h12_jwks.py -k few_threads",
    ),
    Mutant(
        "m12",
        "backend_main/core/checks.py",
        "if (weakness := weakness_of_secret(key))",
        'if (weakness := "") ',
        "test_m12_weak_secrets.py -k stops or names",
    ),
    Mutant(
        "m3",
        "backend_main/cli/serve.py",
        "print_link or sys.stdout.isatty()",
        "True",
        "test_m3_sign_in_link.py -k without",
    ),
    Mutant(
        "l6",
        "backend_main/core/conf_types.py",
        "{'***@' if at else ''}{host}",
        "{authority}",
        "test_l6_settings.py",
    ),
]
