"""S05 - forged tokens: the algorithm is fixed, `exp`, `sub` and the type are required, the user is active."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
import pytest
from django.conf import settings
from django.utils import timezone
from websockets.exceptions import ConnectionClosed

from backend_main.core.auth import authentication, sessions
from backend_main.core.conf import conf
from backend_main.core.errors import Unauthenticated
from backend_main.core.models import User
from tests.support.database import new_user
from tests.support.server import Server
from tests.support.tokens import RsaKey, claims, signed, unsigned
from tests.support.websocket_client import WebSocketClient

OTHER_KEY = "another key of a good length, but not the server's own"
WEEK = 7 * 86_400

# ── forged for a real user, against a server with HS256 ──────────────────────────────────────

Forge = Callable[[str, str], str]  # user id, the server's key → a token
FORGED: dict[str, Forge] = {
    "none": lambda user, key: unsigned(claims(user)),
    "none_in_capitals": lambda user, key: unsigned(claims(user), alg="NONE"),
    "none_in_mixed_case": lambda user, key: unsigned(claims(user), alg="nOnE"),
    "none_with_a_signature": lambda user, key: unsigned(
        claims(user), signature=signed(claims(user), key).rpartition(".")[2]
    ),
    "no_signature": lambda user, key: signed(claims(user), key).rpartition(".")[0] + ".",
    "two_parts": lambda user, key: signed(claims(user), key).rpartition(".")[0],
    "four_parts": lambda user, key: signed(claims(user), key) + ".x",
    "truncated": lambda user, key: signed(claims(user), key)[:-4],
    "changed_signature": lambda user, key: signed(claims(user), key)[:-10] + "AAAAAAAAAA",
    "other_key": lambda user, key: signed(claims(user), OTHER_KEY),
    "empty_key": lambda user, key: signed(claims(user), ""),
    "hs512_with_the_right_key": lambda user, key: signed(claims(user), key, alg="HS512"),
    "hs384_with_the_right_key": lambda user, key: signed(claims(user), key, alg="HS384"),
    "alg_says_rs256": lambda user, key: signed(claims(user), key, header={"alg": "RS256"}),
    "signed_with_rs256": lambda user, key: RSA.signed(claims(user)),
    "jwk_in_header_is_the_key": lambda user, key: RSA.signed(claims(user), header={"jwk": RSA.public_jwk()}),
    "jwk_secret_in_header": lambda user, key: signed(
        claims(user), OTHER_KEY, header={"jwk": {"kty": "oct", "k": OTHER_KEY}}
    ),
    "jku_in_header": lambda user, key: signed(
        claims(user), OTHER_KEY, header={"jku": "http://127.0.0.1:9/keys", "kid": "1"}
    ),
    "kid_names_a_file": lambda user, key: signed(claims(user), "", header={"kid": "/dev/null"}),
    "unknown_critical_extension": lambda user, key: signed(claims(user), key, header={"crit": ["x"], "x": 1}),
    "expired": lambda user, key: signed(claims(user, exp=int(time.time()) - 60), key),
    "expired_long_ago": lambda user, key: signed(claims(user, exp=0), key),
    "exp_missing": lambda user, key: signed(claims(user, exp=...), key),
    "exp_null": lambda user, key: signed(claims(user, exp=None), key),
    "exp_text": lambda user, key: signed(claims(user, exp="tomorrow"), key),
    "exp_list": lambda user, key: signed(claims(user, exp=[]), key),
    "exp_infinite": lambda user, key: signed(claims(user, exp=float("inf")), key),
    "exp_no_number": lambda user, key: signed(claims(user, exp=float("nan")), key),
    "exp_huge": lambda user, key: signed(claims(user, exp=10**40), key),
    "nbf_tomorrow": lambda user, key: signed(claims(user, nbf=time.time() + 86_400), key),
    "iat_tomorrow": lambda user, key: signed(claims(user, iat=time.time() + 86_400), key),
    "iat_text": lambda user, key: signed(claims(user, iat="now"), key),
    "iat_no_number": lambda user, key: signed(claims(user, iat=float("nan")), key),
    "type_missing": lambda user, key: signed(claims(user, token_type=...), key),
    "type_refresh": lambda user, key: signed(claims(user, token_type="refresh"), key),
    "type_in_capitals": lambda user, key: signed(claims(user, token_type="ACCESS"), key),
    "type_null": lambda user, key: signed(claims(user, token_type=None), key),
    "type_list": lambda user, key: signed(claims(user, token_type=["access"]), key),
    "sub_missing": lambda user, key: signed(claims(user, sub=...), key),
    "sub_null": lambda user, key: signed(claims(user, sub=None), key),
    "sub_empty": lambda user, key: signed(claims(user, sub=""), key),
    "sub_no_uuid": lambda user, key: signed(claims(user, sub="1 OR 1=1"), key),
    "sub_number": lambda user, key: signed(claims(user, sub=1), key),
    "sub_uuid_as_number": lambda user, key: signed(claims(user, sub=uuid.UUID(user).int), key),
    "sub_true": lambda user, key: signed(claims(user, sub=True), key),
    "sub_list": lambda user, key: signed(claims(user, sub=[user]), key),
    "sub_object": lambda user, key: signed(claims(user, sub={"id": user}), key),
    "sub_unknown": lambda user, key: signed(claims(str(uuid.uuid4())), key),
    "sub_nul": lambda user, key: signed(claims(user + "\x00"), key),
    "garbage": lambda user, key: "garbage",
    "dots": lambda user, key: "..",
    "unicode": lambda user, key: "é発票.é.é",
    "surrogate_escaped": lambda user, key: "eyJ\udcff.a.b",
    "nul": lambda user, key: "a\x00b.c.d",
    "long": lambda user, key: "A" * 8000,
    "payload_no_object": lambda user, key: signed([user], key),  # type: ignore[arg-type]
    "space": lambda user, key: " ",
}
RSA = RsaKey()
# The client library does not accept these in a URL.
NOT_IN_A_URL = {"surrogate_escaped", "nul"}


@pytest.fixture(scope="module")
def a_user_id(server: Server, a_user: str) -> str:
    return server.user_id(a_user)


@pytest.fixture(scope="module")
def server_key(server: Server) -> str:
    return server.secret_key


async def close_code(server: Server, token: str) -> int:
    from urllib.parse import quote

    async with WebSocketClient(server.url() + f"?token={quote(token)}") as client:
        return await client.close_code()


async def is_accepted(server: Server, token: str) -> bool:
    async with WebSocketClient(server.url(token=token)) as client:
        try:
            return bool((await client.request({"type": "subscribe"}))["message"] == "subscribed")
        except ConnectionClosed:
            return False


async def test_s05_unforged_token_is_accepted(server: Server, a_user_id: str, server_key: str) -> None:
    assert await is_accepted(server, signed(claims(a_user_id), server_key))


@pytest.mark.parametrize("name", sorted(FORGED.keys() - NOT_IN_A_URL))
async def test_s05_socket_with_forged_token_is_4401(
    name: str, server: Server, a_user_id: str, server_key: str
) -> None:
    assert await close_code(server, FORGED[name](a_user_id, server_key)) == 4401


async def test_s05_socket_without_token_is_4401(server: Server) -> None:
    for path in ("/ws/core/upload/", f"/ws/core/upload/{uuid.uuid4()}/", "/ws/core/upload/?token="):
        async with WebSocketClient(server.url(path)) as client:
            assert await client.close_code() == 4401


async def test_s05_socket_with_invalid_header_and_valid_query_is_4401(server: Server, a_token: str) -> None:
    headers = {"Authorization": "Bearer garbage"}
    async with WebSocketClient(server.url(token=a_token), additional_headers=headers) as client:
        assert await client.close_code() == 4401


def test_s05_forged_tokens_cause_no_traceback(server: Server) -> None:
    assert server.unexpected_tracebacks == []


# ── `authenticate` ──────────────────────────────────────────────────────


@pytest.fixture
def user(db: None) -> User:
    return new_user()


@pytest.fixture
def key() -> str:
    return str(settings.SIMPLE_JWT["SIGNING_KEY"])


def authenticate(user: User, **changes: Any) -> authentication.Identity:
    return authentication.authenticate(
        signed(claims(str(user.pk), **changes), str(settings.SIMPLE_JWT["SIGNING_KEY"]))
    )


@pytest.mark.parametrize("name", sorted(FORGED))
def test_s05_authenticate_with_forged_token_raises(name: str, user: User, key: str) -> None:
    with pytest.raises(Unauthenticated) as error:
        authentication.authenticate(FORGED[name](str(user.pk), key))
    assert str(user.pk) not in str(error.value)


@pytest.mark.parametrize("token", [None, ""])
def test_s05_authenticate_without_token_raises(token: str | None) -> None:
    with pytest.raises(Unauthenticated):
        authentication.authenticate(token)


def test_s05_authenticate_returns_user_issue_time_and_expiry(user: User) -> None:
    now = int(time.time())
    identity = authenticate(user, iat=now - 5, exp=now + 100)
    assert identity == authentication.Identity(user, float(now - 5), float(now + 100))


def test_s05_issued_token_is_valid_for_the_given_lifetime(user: User) -> None:
    import datetime as dt

    identity = authentication.authenticate(authentication.issue_access_token(user, dt.timedelta(seconds=90)))
    assert identity.user == user
    assert 85 < identity.expires_at - time.time() <= 90


def test_s05_token_without_jti_is_accepted(user: User) -> None:
    assert authenticate(user, jti=...).user == user


def test_s05_custom_user_claim_must_be_a_string(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library checks the type of `sub` by itself, but not of other claims."""
    monkeypatch.setattr(authentication, "conf", msgspec.structs.replace(conf, jwt_user_claim="uid"))
    assert authenticate(user, uid=str(user.pk)).user == user
    for value in (user.pk.int, True, [str(user.pk)], {"id": str(user.pk)}, 1.5, None, "", ...):
        with pytest.raises(Unauthenticated):
            authenticate(user, uid=value)


def test_s05_token_of_a_deactivated_user_is_rejected(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)
    with pytest.raises(Unauthenticated):
        authenticate(user)


def test_s05_token_issued_before_revocation_is_rejected_and_after_accepted(user: User) -> None:
    user.tokens_valid_from = timezone.now()
    user.save()
    since = user.tokens_valid_from.timestamp()
    with pytest.raises(Unauthenticated):
        authenticate(user, iat=since - 0.01)
    with pytest.raises(Unauthenticated):
        authenticate(user, iat=...)
    assert authenticate(user, iat=since).user == user


def test_s05_new_password_revokes_the_tokens(user: User) -> None:
    import datetime as dt

    before = authentication.issue_access_token(user, dt.timedelta(hours=1))
    assert authentication.authenticate(before)
    user.set_password("a new pass phrase")
    user.save()
    with pytest.raises(Unauthenticated):
        authentication.authenticate(before)
    assert authentication.authenticate(authentication.issue_access_token(user, dt.timedelta(hours=1)))


def test_s05_first_password_of_a_new_user_revokes_nothing() -> None:
    user = User(username="new")
    user.set_password("a new pass phrase")
    assert user.tokens_valid_from is None


# ── refresh tokens ────────────────────────────────────────────────────────────────────────────


DEVICE = sessions.Device("127.0.0.1", "a test")


def refresh_tokens(token: str) -> sessions.TokenPair:
    return sessions.refresh(token, DEVICE)[1]


def refresh_token(user: User) -> str:
    return sessions.start(user, DEVICE).refresh


def test_s05_refresh_token_gives_an_access_token_but_does_not_authenticate(user: User) -> None:
    refresh = refresh_token(user)
    assert authentication.authenticate(refresh_tokens(refresh).access).user == user
    with pytest.raises(Unauthenticated):
        authentication.authenticate(refresh)


def test_s05_access_token_cannot_refresh(user: User, key: str) -> None:
    with pytest.raises(Unauthenticated):
        refresh_tokens(signed(claims(str(user.pk)), key))


@pytest.mark.parametrize("reason", ["deactivated", "revoked", "new password", "deleted"])
def test_s05_refresh_token_of_a_revoked_or_removed_user_is_rejected(reason: str, user: User) -> None:
    refresh = refresh_token(user)
    match reason:
        case "deactivated":
            user.is_active = False
        case "revoked":
            user.revoke_tokens()
        case "new password":
            user.set_password("a new pass phrase")
    user.save()
    if reason == "deleted":
        user.delete()
    with pytest.raises(Unauthenticated):
        refresh_tokens(refresh)


@pytest.mark.parametrize("name", sorted(FORGED))
def test_s05_forged_refresh_token_is_rejected(
    name: str, user: User, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The forged tokens, with the types access and refresh exchanged."""
    original_claims = claims

    def claims_with_exchanged_type(user_id: str, **changes: Any) -> dict[str, Any]:
        exchanged = {"access": "refresh", "refresh": "access"}.get(str(changes.get("token_type", "access")))
        return original_claims(user_id, **(changes | ({"token_type": exchanged} if exchanged else {})))

    monkeypatch.setitem(globals(), "claims", claims_with_exchanged_type)
    with pytest.raises(Unauthenticated):
        refresh_tokens(FORGED[name](str(user.pk), key))


def test_s05_refresh_endpoint_with_invalid_token_is_rejected(server: Server, a_token: str) -> None:
    bodies: list[dict[str, object]] = [{"refresh": a_token}, {"refresh": "garbage"}, {"refresh": None}, {}]
    for body in bodies:
        reply = httpx.post(f"{server.http}/api/token/refresh/", json=body)
        assert reply.status_code in (400, 401), body
        assert "access" not in reply.json()
    reply = httpx.post(f"{server.http}/api/token/refresh/", json={"refresh": a_token})
    assert reply.status_code == 401


# ── tokens signed by another service ──────────────────────────────────────────────────


@dataclass(frozen=True)
class ExternalIssuer:
    """A server that accepts tokens of another service, and a user of it."""

    server: Server
    user_id: str


@pytest.fixture(scope="module")
def external_issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExternalIssuer]:
    server = Server(
        tmp_path_factory.mktemp("rs256") / "data", JWT_ALGORITHM="RS256", JWT_VERIFYING_KEY=RSA.public_pem
    ).start()
    yield ExternalIssuer(server, server.user_id(server.user()))
    assert server.stop() == 0


async def test_s05_external_token_is_accepted_and_forged_ones_are_rejected(
    external_issuer: ExternalIssuer,
) -> None:
    server, user = external_issuer.server, external_issuer.user_id
    own_key = server.secret_key
    pem = RSA.public_pem
    forged = {
        "public key as HMAC secret": signed(claims(user), pem),
        "public key without its last newline": signed(claims(user), pem.rstrip("\n")),
        "public key, with alg RS256": signed(claims(user), pem, header={"alg": "RS256"}),
        "public key as HS512 secret": signed(claims(user), pem, alg="HS512"),
        "the secret key of this server": signed(claims(user), own_key),
        "another RSA key": RsaKey().signed(claims(user)),
        "another RSA key, in the header": (mine := RsaKey()).signed(
            claims(user), header={"jwk": mine.public_jwk(), "kid": "mine"}
        ),
        "RS256 with alg RS512": RSA.signed(claims(user), header={"alg": "RS512"}),
        "RS256 with alg PS256": RSA.signed(claims(user), header={"alg": "PS256"}),
        "none": unsigned(claims(user)),
        "none, with the signature of a valid token": unsigned(
            claims(user), signature=RSA.signed(claims(user)).rpartition(".")[2]
        ),
        "expired": RSA.signed(claims(user, exp=int(time.time()) - 60)),
        "without exp": RSA.signed(claims(user, exp=...)),
        "exp in milliseconds": RSA.signed(claims(user, exp=int(time.time() + WEEK) * 1000)),
        "refresh": RSA.signed(claims(user, token_type="refresh")),
        "unknown user": RSA.signed(claims(str(uuid.uuid4()))),
    }
    assert await is_accepted(server, RSA.signed(claims(user)))
    codes = {name: await close_code(server, token) for name, token in forged.items()}
    assert codes == dict.fromkeys(forged, 4401)
    assert server.unexpected_tracebacks == []


def test_s05_token_command_without_signing_key_fails_in_one_line(external_issuer: ExternalIssuer) -> None:
    printed = external_issuer.server.command("token", "anybody")
    assert printed.returncode == 1
    assert printed.stdout == ""
    assert len(printed.stderr.strip().splitlines()) == 1
