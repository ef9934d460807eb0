"""WebSocket protocol: message types and their JSON.

`messages` has one type per message, and `parsing` decodes frames into requests (`long_strings`: their large
fields; `base64_text`: one of them). They are pure: no Django, no sockets, no database. `ProtocolError` is
their only exception, and they may import `errors` only. `serializers` converts database rows into messages
and may also import `models`.
"""
