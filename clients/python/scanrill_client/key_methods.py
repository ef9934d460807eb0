"""Methods of `AsyncClient` for the API keys of the user, over REST."""

from __future__ import annotations

from .api_keys import ApiKeys, KeyScope, NewApiKey
from .rest_requests import RestRequests


class KeyMethods:
    """Base of `AsyncClient`. The client must have a token: an API key cannot manage API keys."""

    _rest: RestRequests

    async def api_keys(self) -> ApiKeys:
        """Return the API keys of the user that are not revoked, the newest first."""
        return await self._rest.api_keys()

    async def create_api_key(
        self, name: str, *, scope: KeyScope = "write", expires_in_days: int | None = None
    ) -> NewApiKey:
        """Create an API key; None: it does not expire. Its text comes once, in `key`.

        Raises:
            RequestError: The name is in use, a value is not valid, or the user has too many keys.
        """
        return await self._rest.create_api_key(
            {"name": name, "scope": scope, "expires_in_days": expires_in_days}
        )

    async def revoke_api_key(self, key_id: str) -> None:
        """Revoke an API key: it is invalid at once, and its sockets close. Raises `NotFound`."""
        await self._rest.revoke_api_key(key_id)
