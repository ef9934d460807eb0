"""Authentication: which user sends a request, and whether the web page that sends it may connect.

It checks tokens, origins and sign-in codes; it knows nothing of uploads. It may import `db`, `models`,
`conf` and `errors`.

`authentication` verifies and issues tokens. `accounts` reads whether users are active and their tokens
revoked. `origin` has the origin rule. `sign_in_codes` issues and redeems the codes of sign-in links.
`throttle_cache` counts sign-in attempts.
"""
