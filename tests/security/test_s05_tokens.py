"""S05 — forged tokens: the algorithm is fixed, exp, sub and type are required, and the user must stand."""

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
from rest_framework.exceptions import APIException
from websockets.exceptions import ConnectionClosed

from backend_main.core.auth import authentication
from backend_main.core.conf import conf
from backend_main.core.errors import Unauthenticated
from backend_main.core.models import User
from tests.support.database import new_user
from tests.support.server import Server
from tests.support.tokens import RsaKey, claims, signed, unsigned
from tests.support.websocket_client import WebSocketClient

OTHER_KEY = "another key of a good length, but not the server's own"
WEEK = 7 * 86_400

# ── forged in the name of a real user, for a server of HS256 ──────────────────────────────────────

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
# A client library refuses to put these in a URL.
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


async def accepted(server: Server, token: str) -> bool:
    async with WebSocketClient(server.url(token=token)) as client:
        try:
            return bool((await client.request({"type": "subscribe"}))["message"] == "subscribed")
        except ConnectionClosed:
            return False


async def test_s05_the_corpus_is_forged_from_a_token_that_is_good(
    server: Server, a_user_id: str, server_key: str
) -> None:
    assert await accepted(server, signed(claims(a_user_id), server_key))


@pytest.mark.parametrize("name", sorted(FORGED.keys() - NOT_IN_A_URL))
async def test_s05_a_forged_token_is_refused_by_the_socket(
    name: str, server: Server, a_user_id: str, server_key: str
) -> None:
    assert await close_code(server, FORGED[name](a_user_id, server_key)) == 4401


async def test_s05_no_token_is_refused_by_the_socket(server: Server) -> None:
    for path in ("/ws/core/upload/", f"/ws/core/upload/{uuid.uuid4()}/", "/ws/core/upload/?token="):
        async with WebSocketClient(server.url(path)) as client:
            assert await client.close_code() == 4401


async def test_s05_a_bad_header_is_not_saved_by_a_good_query(server: Server, a_token: str) -> None:
    headers = {"Authorization": "Bearer garbage"}
    async with WebSocketClient(server.url(token=a_token), additional_headers=headers) as client:
        assert await client.close_code() == 4401


def test_s05_no_forged_token_brought_the_server_to_a_traceback(server: Server) -> None:
    assert server.unexpected_tracebacks == []


# ── the same, and more, asked of `identify` ──────────────────────────────────────────────────────


@pytest.fixture
def user(db: None) -> User:
    return new_user()


@pytest.fixture
def key() -> str:
    return str(settings.SIMPLE_JWT["SIGNING_KEY"])


def identified(user: User, **changes: Any) -> authentication.Identity:
    return authentication.authenticate(
        signed(claims(str(user.pk), **changes), str(settings.SIMPLE_JWT["SIGNING_KEY"]))
    )


@pytest.mark.parametrize("name", sorted(FORGED))
def test_s05_identify_refuses_a_forged_token(name: str, user: User, key: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        authentication.authenticate(FORGED[name](str(user.pk), key))
    assert str(user.pk) not in str(refused.value)


@pytest.mark.parametrize("token", [None, ""])
def test_s05_identify_refuses_no_token(token: str | None) -> None:
    with pytest.raises(Unauthenticated):
        authentication.authenticate(token)


def test_s05_identify_tells_user_issue_and_expiry(user: User) -> None:
    now = int(time.time())
    identity = identified(user, iat=now - 5, exp=now + 100)
    assert identity == authentication.Identity(user, float(now - 5), float(now + 100))


def test_s05_an_issued_token_is_valid_and_its_life_is_the_one_asked_for(user: User) -> None:
    import datetime as dt

    identity = authentication.authenticate(authentication.issue_access_token(user, dt.timedelta(seconds=90)))
    assert identity.user == user
    assert 85 < identity.expires_at - time.time() <= 90


def test_s05_a_token_without_an_id_is_fine(user: User) -> None:
    assert identified(user, jti=...).user == user


def test_s05_another_claim_that_names_the_user_is_held_to_the_same_types(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of `sub` the library asks for a string by itself; of no other claim."""
    monkeypatch.setattr(authentication, "conf", msgspec.structs.replace(conf, jwt_user_claim="uid"))
    assert identified(user, uid=str(user.pk)).user == user
    for value in (user.pk.int, True, [str(user.pk)], {"id": str(user.pk)}, 1.5, None, "", ...):
        with pytest.raises(Unauthenticated):
            identified(user, uid=value)


def test_s05_a_deactivated_user_s_token_is_refused(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)
    with pytest.raises(Unauthenticated):
        identified(user)


def test_s05_a_token_from_before_the_revocation_is_refused_and_one_from_after_is_not(user: User) -> None:
    user.tokens_valid_from = timezone.now()
    user.save()
    since = user.tokens_valid_from.timestamp()
    with pytest.raises(Unauthenticated):
        identified(user, iat=since - 0.01)
    with pytest.raises(Unauthenticated):
        identified(user, iat=...)
    assert identified(user, iat=since).user == user


def test_s05_a_new_password_revokes_the_tokens(user: User) -> None:
    import datetime as dt

    before = authentication.issue_access_token(user, dt.timedelta(hours=1))
    assert authentication.authenticate(before)
    user.set_password("a new pass phrase")
    user.save()
    with pytest.raises(Unauthenticated):
        authentication.authenticate(before)
    assert authentication.authenticate(authentication.issue_access_token(user, dt.timedelta(hours=1)))


def test_s05_the_first_password_of_a_new_user_revokes_nothing() -> None:
    user = User(username="new")
    user.set_password("a new pass phrase")
    assert user.tokens_valid_from is None


# ── the refresh token ────────────────────────────────────────────────────────────────────────────


def refreshed(token: str) -> dict[str, Any]:
    serializer = authentication.RefreshSerializer(data={"refresh": token})
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def refresh_token(user: User) -> str:
    return str(authentication.RefreshToken.for_user(user))


def test_s05_a_refresh_token_gives_an_access_token_and_is_none_itself(user: User) -> None:
    refresh = refresh_token(user)
    assert authentication.authenticate(refreshed(refresh)["access"]).user == user
    with pytest.raises(Unauthenticated):
        authentication.authenticate(refresh)


def test_s05_an_access_token_refreshes_nothing(user: User, key: str) -> None:
    with pytest.raises(APIException) as refused:
        refreshed(signed(claims(str(user.pk)), key))
    assert refused.value.status_code == 401


@pytest.mark.parametrize("why", ["deactivated", "revoked", "new password", "deleted"])
def test_s05_a_refresh_token_of_a_user_who_lost_the_right_is_refused(why: str, user: User) -> None:
    refresh = refresh_token(user)
    match why:
        case "deactivated":
            user.is_active = False
        case "revoked":
            user.revoke_tokens()
        case "new password":
            user.set_password("a new pass phrase")
    user.save()
    if why == "deleted":
        user.delete()
    with pytest.raises(APIException) as refused:
        refreshed(refresh)
    assert refused.value.status_code == 401


@pytest.mark.parametrize("name", sorted(FORGED))
def test_s05_a_forged_refresh_token_is_refused(
    name: str, user: User, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The corpus with its types turned round."""
    plain = claims

    def refreshing(user_id: str, **changes: Any) -> dict[str, Any]:
        turned = {"access": "refresh", "refresh": "access"}.get(str(changes.get("token_type", "access")))
        return plain(user_id, **(changes | ({"token_type": turned} if turned else {})))

    monkeypatch.setitem(globals(), "claims", refreshing)
    with pytest.raises(APIException) as refused:
        refreshed(FORGED[name](str(user.pk), key))
    assert refused.value.status_code in (400, 401)


def test_s05_the_refresh_endpoint_refuses_what_is_no_refresh_token(server: Server, a_token: str) -> None:
    bodies: list[dict[str, object]] = [{"refresh": a_token}, {"refresh": "garbage"}, {"refresh": None}, {}]
    for body in bodies:
        reply = httpx.post(f"{server.http}/api/token/refresh/", json=body)
        assert reply.status_code in (400, 401), body
        assert "access" not in reply.json()
    reply = httpx.post(f"{server.http}/api/token/refresh/", json={"refresh": a_token})
    assert reply.status_code == 401


# ── a server whose tokens another service signs ──────────────────────────────────────────────────


@dataclass(frozen=True)
class Foreign:
    server: Server
    user_id: str


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    server = Server(
        tmp_path_factory.mktemp("rs256") / "data", JWT_ALGORITHM="RS256", JWT_VERIFYING_KEY=RSA.public_pem
    ).start()
    yield Foreign(server, server.user_id(server.user()))
    assert server.stop() == 0


async def test_s05_another_service_s_token_is_good_and_everything_forged_is_not(foreign: Foreign) -> None:
    server, user = foreign.server, foreign.user_id
    own_key = server.secret_key
    pem = RSA.public_pem
    forged = {
        "public key as HMAC secret": signed(claims(user), pem),
        "public key without its last newline": signed(claims(user), pem.rstrip("\n")),
        "public key, said to be RS256": signed(claims(user), pem, header={"alg": "RS256"}),
        "public key as HS512 secret": signed(claims(user), pem, alg="HS512"),
        "the secret key of this server": signed(claims(user), own_key),
        "another RSA key": RsaKey().signed(claims(user)),
        "another RSA key, in the header": (mine := RsaKey()).signed(
            claims(user), header={"jwk": mine.public_jwk(), "kid": "mine"}
        ),
        "RS256 said to be RS512": RSA.signed(claims(user), header={"alg": "RS512"}),
        "RS256 said to be PS256": RSA.signed(claims(user), header={"alg": "PS256"}),
        "none": unsigned(claims(user)),
        "none, with the signature of a good one": unsigned(
            claims(user), signature=RSA.signed(claims(user)).rpartition(".")[2]
        ),
        "expired": RSA.signed(claims(user, exp=int(time.time()) - 60)),
        "without exp": RSA.signed(claims(user, exp=...)),
        "exp in milliseconds": RSA.signed(claims(user, exp=int(time.time() + WEEK) * 1000)),
        "refresh": RSA.signed(claims(user, token_type="refresh")),
        "unknown user": RSA.signed(claims(str(uuid.uuid4()))),
    }
    assert await accepted(server, RSA.signed(claims(user)))
    codes = {name: await close_code(server, token) for name, token in forged.items()}
    assert codes == dict.fromkeys(forged, 4401)
    assert server.unexpected_tracebacks == []


def test_s05_a_server_that_cannot_sign_says_so_in_one_line(foreign: Foreign) -> None:
    printed = foreign.server.command("token", "anybody")
    assert printed.returncode == 1
    assert printed.stdout == ""
    assert len(printed.stderr.strip().splitlines()) == 1
