"""Authentication: which user sends a request, and whether the web page that sends it may connect.

It checks tokens, API keys, origins and sign-in codes; it knows nothing of uploads. It may import `db`,
`models`, `conf` and `errors`.

`credentials` finds the token or API key of a request, and `authentication` its user. `api_keys` creates,
verifies and revokes API keys. `tokens` has the rules of tokens, and `jwks` the keys of another
service that signs them. `sessions` starts, refreshes and ends sign-ins. `passwords` checks passwords, as
often as `attempts` counts. `accounts` reads whether users are active, and which tokens are revoked.
`user_admin` lists users, changes passwords, and deactivates users. `origin` has the origin rule.
`sign_in_codes` issues and redeems the codes of sign-in links. `digests` hashes what others may read.
"""
