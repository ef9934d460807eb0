"""REST and plain HTTP: views and ASGI middleware.

A view checks its input, calls one function of `uploads` or `auth`, and encodes the result. It has no rules
of its own and writes no rows. This package may import all of `core` except `consumers`.

`rest`, `upload` and `downloads` serve `/api/uploads/`; `sign_in` serves `/api/token/`; `keys` serves
`/api/keys`, `webhooks` serves `/api/webhooks`; `health` serves `/healthz` and `/readyz`. `problems` has the
responses to errors, `http_errors` the errors of HTTP itself, `error_views` those that Django finds;
`web_page` serves the built page.

`stream_routes` is the table of routes that bypass Django, because their handlers receive a body, or send a
response, as a stream: `upload`, `read` (one call), `events` (Server-Sent Events), `tus` with `tus_headers`.
`creation` makes an upload of a request. `receive` and `multipart` write the file in its body to disk, and
`fetch` one at a URL. `render` writes an upload in a format; `waiting` waits until an upload has ended.
`mcp` serves `/mcp`, and `wires` the interfaces of other products.

`routes` has the paths of routes, `parameters` reads their queries, and `route_checks` answers `OPTIONS` and
refuses methods and parameters that a route lacks.
`request_target` reads targets that are URLs, and `/api/v1/`; `content_disposition` reads file names.
`path_prefix` takes what comes before the routes out of the path. `etags` has conditional requests, and `cors`
lets pages of allowed origins use the API. `middleware` and `security_headers` wrap every HTTP response.

`request_gate` checks each request before the views and the other middleware, and `request_body` limits its
body. `request_headers` reads its headers. `client_address` gives the address by which limits count.
`responses` has the responses of middleware, and `types` the ASGI types.
"""
