"""Server-Sent Events in a browser: `EventSource` with an API key in the path, and `fetch` with a token."""

from __future__ import annotations

import httpx

from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.page_object import WebPage

# Each resolves at the first message; `window.read` resolves with all messages when one has the text.
COLLECT = """
  const received = [];
  let onRead;
  window.read = new Promise(resolve => { onRead = resolve; });
  const collect = message => {
    received.push(message);
    if (message.raw_text === "one") onRead(received);
  };
"""
LISTEN = f"""key => new Promise((resolve, reject) => {{ {COLLECT}
  const events = new EventSource(`/k/${{key}}/api/events`);
  events.onerror = reject;
  events.onmessage = event => {{
    collect({{ lastEventId: event.lastEventId, ...JSON.parse(event.data) }});
    resolve();
  }};
}})"""
FETCH = f"""async token => {{ {COLLECT}
  const response = await fetch("/api/events", {{ headers: {{ Authorization: `Bearer ${{token}}` }} }});
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const receive = async () => {{
    text += (await reader.read()).value;
    const events = text.split("\\n\\n");
    text = events.pop();
    for (const event of events) {{
      const data = event.split("\\n").find(line => line.startsWith("data: "));
      if (data) collect(JSON.parse(data.slice(6)));
    }}
  }};
  while (!received.length) await receive();
  (async () => {{ for (;;) await receive(); }})();
}}"""


def upload(account: Account) -> None:
    image = scripted_png(lines=["one"])
    response = httpx.post(f"{account.server.http}/api/uploads", content=image, headers=account.headers)
    assert response.status_code == 201, response.text


def test_event_source_with_a_key_in_its_path_gets_the_text(web_page: WebPage) -> None:
    account = Account.create(web_page.server)
    created = httpx.post(
        f"{account.server.http}/api/keys",
        json={"name": "events", "scope": "read"},
        headers=account.headers,
    )
    web_page.page.evaluate(LISTEN, created.json()["key"])
    upload(account)
    received = web_page.page.evaluate("read")
    assert received[0]["type"] == "subscribed"
    events = [message for message in received if "cursor" in message]
    assert [message["lastEventId"] for message in events] == [message["cursor"] for message in events]


def test_fetch_with_a_token_streams_events(web_page: WebPage) -> None:
    account = Account.create(web_page.server)
    web_page.page.evaluate(FETCH, account.mint())
    upload(account)
    assert web_page.page.evaluate("read")[-1]["status"] == "processed"
