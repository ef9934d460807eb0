"""Guards of API keys."""

from __future__ import annotations

from . import Mutant

CORE = "backend_main/core/"


def _mutant(file: str, old: str, new: str, tests: str) -> Mutant:
    return Mutant("s38", CORE + file, old, new, f"test_s38_api_keys.py -k {tests}")


MUTANTS = [
    _mutant("auth/api_keys.py", " AND revoked_at IS NULL AND is_active", " AND is_active", "revoked_key_is"),
    _mutant("auth/api_keys.py", "IS NULL AND is_active", "IS NULL", "inactive"),
    _mutant("auth/api_keys.py", "digest=sha256_hex(secret), scope", "digest=secret, scope", "digest"),
    _mutant("auth/api_keys.py", "filter(pk=key_id, owner=owner, ", "filter(pk=key_id, ", "another"),
    _mutant("auth/authentication.py", "if needed not in identity.scopes:", "if False:", "scope"),
    _mutant("auth/authentication.py", "if identity.key_id is not None:", "if False:", "manage"),
    _mutant("auth/credentials.py", 'None if b"origin" in headers else _basic', "_basic", "credential_of"),
    _mutant("auth/accounts.py", "WHERE revoked_at IS NOT NULL AND", "WHERE", "password_change"),
    _mutant("auth/user_admin.py", "        api_keys.revoke_all(user)\n", "", "password_change"),
    _mutant(
        "log_filters.py",
        r'_API_KEY.sub(r"\1[redacted]", _PATH_KEY.sub(r"\1[redacted]", text))',
        "text",
        "log_line",
    ),
]
