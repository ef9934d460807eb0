"""WebSocket protocol: message types and their JSON.

`messages` has one type per message, and `field_types` the limits of their fields. `parsing` decodes frames
into requests (`long_strings`: their large fields; `base64_text`: one of them). `durable_messages` has the
form of messages in the event log. `pages`, `readings` and `search_results` have the types of responses of
the REST API, and `page_schema` the JSON Schema of a page. `subprotocol` answers the subprotocol of a
handshake. They are pure: no Django, no sockets, no database. `ProtocolError` is their only exception, and
they may import `errors` and `reading.types` only. `serializers` converts database rows into messages and may
also import `models` and `uploads.page_content`.
"""
