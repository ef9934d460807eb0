"""Tests of the vision engine over HTTP: response formats, failures, the fallback and the configuration."""

from __future__ import annotations

import email.utils
import io
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from backend_main.reading import EngineFailed, EngineProcess, EngineUnavailable, Line, Options, PageDone, read
from backend_main.reading.engines import load_engine
from backend_main.reading.engines.vision import config as vision_config
from backend_main.reading.engines.vision import engine as vision_engine
from backend_main.reading.engines.vision import profiles
from backend_main.reading.engines.vision.repetition import RepetitionDetector
from tests.support.page_images import lines_of_text, page_png
from tests.support.page_structure import structure_faults
from tests.support.page_warnings import messages_of
from tests.support.vision_server import Reply, VisionServer, image_of, prompt_of, recognize_png

KEY = "sk-canary-5f1d0e"
LINES = lines_of_text(8)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vision") / "page.png"
    path.write_bytes(page_png(LINES))
    return path


@pytest.fixture(scope="module")
def text(page: Path) -> str:
    """The text that the endpoint reads on the page."""
    recognized = recognize_png(sent_as(page))
    assert recognized.split() == " ".join(LINES).split()
    return recognized


def sent_as(page: Path) -> bytes:
    """Return the PNG that the engine sends for a page."""
    from backend_main.reading.documents.document import open_document

    with open_document(page, Options()) as document:
        return vision_engine._png(document.page(1), profiles.PROFILES["generic"].longest_side)


@pytest.fixture(scope="module")
def server() -> Iterator[VisionServer]:
    server = VisionServer()
    yield server
    server.close()


Endpoint = Callable[..., VisionServer]


@pytest.fixture
def endpoint(server: VisionServer, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    """Set the replies of the server, and settings by their names without the prefix."""

    def set_up(*replies: Reply, **settings: str) -> VisionServer:
        server.replies[:], server.requests[:], server.keys[:] = replies, [], []
        given = {"URL": server.url, "MODEL": "test-vl", "API_KEY": KEY, "FALLBACK": ""} | settings
        for name, value in given.items():
            monkeypatch.setenv(f"SCANRILL_VISION_{name}", value)
        return server

    monkeypatch.setattr(vision_engine, "FIRST_RETRY_SECONDS", 0.001)
    return set_up


def read_page(page: Path, options: Options | None = None) -> tuple[str, PageDone]:
    """Return the Markdown that streamed, and the finished page."""
    streamed = ""
    for event in read(page, options or Options(engine="vision")):
        if isinstance(event, Line):
            streamed += event.markdown
        elif isinstance(event, PageDone):
            done = event
    assert structure_faults(done) == []
    return streamed, done


# ── requests ──


def test_vision_streams_tokens_that_add_up_to_the_page(page: Path, text: str, endpoint: Endpoint) -> None:
    server = endpoint()
    pieces = [e.markdown for e in read(page, Options(engine="vision")) if isinstance(e, Line)]
    assert len(pieces) > len(text.split())
    assert "".join(pieces).strip() == text
    _, done = read_page(page)
    assert done.markdown == text
    assert [line.text for line in done.lines] == [row.rstrip() for row in text.splitlines()]
    assert "".join(line.markdown for line in done.lines) == text
    assert all(line.box is None for line in done.lines)
    assert done.warnings == []
    assert server.keys[0] == f"Bearer {KEY}"
    request = server.requests[0]
    assert (request["model"], request["stream"], request["temperature"]) == ("test-vl", True, 0)


def test_vision_yields_first_words_while_the_model_still_writes(page: Path, endpoint: Endpoint) -> None:
    go_on = threading.Event()
    endpoint(Reply(gate=(9, go_on)), STALL_SECONDS="5")
    for event in read(page, Options(engine="vision")):
        if isinstance(event, Line):
            go_on.set()
        elif isinstance(event, PageDone):
            assert event.warnings == []
    assert go_on.is_set()


def test_request_without_key_has_no_authorization_header(page: Path, endpoint: Endpoint) -> None:
    server = endpoint(API_KEY="")
    read_page(page)
    assert server.keys == [None]


def test_response_without_streaming_is_parsed(page: Path, text: str, endpoint: Endpoint) -> None:
    endpoint(Reply(streams=False))
    assert read_page(page)[1].markdown == text


@pytest.mark.parametrize(
    ("model", "profile", "prompt", "side"),
    [
        ("Qwen/Qwen3-VL-8B", "", profiles.GENERIC_PROMPT, 2048),
        ("deepseek-ai/DeepSeek-OCR", "", "Free OCR.", 1280),
        ("glm-ocr:latest", "", "Text Recognition:", 2048),
        ("lightonai/LightOnOCR-1B", "", "", 1540),
        ("any", "got", "", 1024),
        ("ibm-granite/granite-docling-258M", "", "Convert this page to docling.", 1536),
        ("allenai/olmOCR-7B", "", profiles.OLMOCR_PROMPT, 1288),
        ("any", "paddleocr-vl", "OCR:", 2048),
        ("allenai/olmOCR-7B", "glm-ocr", "Text Recognition:", 2048),
    ],
)
def test_profile_decides_prompt_and_image_size(
    tmp_path: Path, endpoint: Endpoint, model: str, profile: str, prompt: str, side: int
) -> None:
    server = endpoint(Reply(status=400), MODEL=model)
    large = tmp_path / "large.png"
    Image.new("L", (300, 3000), "white").save(large)
    with pytest.raises(EngineFailed):
        read_page(large, Options(engine="vision", profile=profile))
    [request] = server.requests
    assert prompt_of(request) == prompt
    with Image.open(io.BytesIO(image_of(request))) as image:
        assert max(image.size) == side


def test_profile_of_the_setting_is_the_default(page: Path, endpoint: Endpoint) -> None:
    server = endpoint(PROFILE="deepseek-ocr")
    read_page(page)
    assert prompt_of(server.requests[0]) == "Free OCR."


# ── response formats ──


def fenced(text: str) -> str:
    return f"```markdown\n{text}\n```"


def thought(text: str) -> str:
    return f"<think>A page of <b>words</b>.</think>\n{text}"


def grounded(text: str) -> str:
    mark = "<|ref|>text<|/ref|><|det|>[[3, 4, 5, 6]]<|/det|>"
    return "\n".join(f"{mark}\n{line}" for line in text.splitlines())


def with_front_matter(text: str) -> str:
    return f"---\nprimary_language: en\nis_rotation_valid: True\n---\n{text}"


def in_doctags(text: str) -> str:
    lines = "\n".join(text.splitlines())
    return (
        f"<doctag><page_header><loc_1>left out</page_header><text><loc_10><loc_2>{lines}</text>"
        "<page_footer>page 7</page_footer></doctag>"
    )


@pytest.mark.parametrize(
    ("transform", "profile"),
    [
        (fenced, "generic"),
        (thought, "generic"),
        (grounded, "deepseek-ocr"),
        (with_front_matter, "olmocr"),
        (in_doctags, "granite-docling"),
        (str, "olmocr"),
    ],
)
def test_response_markup_of_the_model_is_removed(
    page: Path, text: str, endpoint: Endpoint, transform: Callable[[str], str], profile: str
) -> None:
    endpoint(Reply(transform=transform))
    streamed, done = read_page(page, Options(engine="vision", profile=profile))
    assert done.markdown.split() == text.split()
    assert done.text.split() == text.split()
    for mark in ("<", "|", "[[", "primary_language", "`", "left out", "page 7"):
        assert mark not in done.markdown
    for mark in ("<", "|ref", "[[", "primary_language", "words</b>"):
        assert mark not in streamed
    assert done.warnings == []


DOCTAGS = (
    "<doctag><title><loc_1>Report</title><section_header_level_1>Sales & more</section_header_level_1>"
    "<unordered_list><list_item>one *star*</list_item><list_item>two</list_item></unordered_list>"
    "<ordered_list><list_item>first</list_item></ordered_list><otsl><caption>Table 1</caption>"
    "<ched>Year<ched>Sum<nl><fcel>2024<fcel>1|2<nl><fcel>both<lcel><nl></otsl>"
    "<picture><loc_3><caption>A chart</caption></picture><formula>a<b</formula>"
    "<code><_Python_>x = 1</code></doctag>"
)


def test_doctags_convert_to_markdown(page: Path, endpoint: Endpoint) -> None:
    endpoint(Reply(transform=lambda _: DOCTAGS))
    _, done = read_page(page, Options(engine="vision", profile="granite-docling"))
    assert done.markdown == (
        "# Report\n\n## Sales & more\n\n- one \\*star\\*\n- two\n\n1. first\n\n"
        "Table 1\n\n| Year | Sum |\n| --- | --- |\n| 2024 | 1\\|2 |\n| both |  |\n\n"
        "![A chart]()\n\n$$\na<b\n$$\n\n```\nx = 1\n```"
    )


def test_html_table_converts_to_pipe_table(page: Path, endpoint: Endpoint) -> None:
    table = (
        "Before\n<table><tr><th>a</th><th colspan=2>b</th></tr>"
        '<tr><td rowspan="2">1</td><td>2|3</td><td>x<br/>y</td></tr>'
        "<tr><td>4</td><td>5</td></tr></table>After"
    )
    endpoint(Reply(transform=lambda _: table))
    streamed, done = read_page(page)
    assert done.markdown == (
        "Before\n\n\n| a | b |  |\n| --- | --- | --- |\n| 1 | 2\\|3 | x y |\n|  | 4 | 5 |\n\nAfter"
    )
    assert "<t" not in streamed


HOSTILE = [
    "<img src=x onerror=alert(1)> and <script>1</script>",
    r"\\<img src=x onerror=alert(1)>",
    "![see](https://evil.example/a.png)",
    "![see [this]](https://evil.example/a.png)",
    "![see](<https://evil.example/(a).png>)",
    "![see](\nhttps://evil.example/a.png)",
    "![see][1]\n\n[1]: https://evil.example/a.png",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_sanitize_markdown_of_hostile_response_leaves_no_html_or_image(
    page: Path, endpoint: Endpoint, hostile: str
) -> None:
    endpoint(Reply(transform=lambda _: f"Before. {hostile}\n\na < b, c"))
    streamed, done = read_page(page)
    for shown in (streamed, done.markdown):
        assert "a < b, c" in shown
        assert active_content(shown) == []


def active_content(markdown: str) -> list[str]:
    """Return the HTML and the image addresses that a CommonMark renderer would find."""
    from markdown_it import MarkdownIt

    tokens = [child for token in MarkdownIt().parse(markdown) for child in (token, *(token.children or ()))]
    html = [token.content for token in tokens if token.type.startswith("html")]
    return html + [
        str(token.attrs["src"]) for token in tokens if token.type == "image" and token.attrs["src"]
    ]


# ── failures ──


@pytest.mark.parametrize("status", [401, 403])
def test_rejected_key_fails_at_once_and_never_appears_in_logs(
    page: Path, endpoint: Endpoint, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    server = endpoint(Reply(status=status, body=json.dumps({"error": f"no such key: {KEY}"})))
    with caplog.at_level(logging.DEBUG), pytest.raises(EngineFailed, match="rejected the key") as failed:
        read_page(page)
    assert len(server.requests) == 1
    assert "(key)" in caplog.text
    output = (
        caplog.text
        + repr(failed.value)
        + repr(vision_config.from_environment({"SCANRILL_VISION_API_KEY": KEY}))
    )
    assert KEY not in output


def test_request_is_retried_after_server_errors(page: Path, text: str, endpoint: Endpoint) -> None:
    server = endpoint(Reply(status=500), Reply(status=503))
    assert read_page(page)[1].markdown == text
    assert len(server.requests) == 3


def test_request_fails_after_the_maximum_of_attempts(page: Path, endpoint: Endpoint) -> None:
    server = endpoint(*[Reply(status=500)] * 9)
    with pytest.raises(EngineFailed, match="HTTP 500"):
        read_page(page)
    assert len(server.requests) == vision_engine.MAX_ATTEMPTS


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waiting times of the engine, in seconds; it does not wait."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


def test_retry_after_429_waits_as_long_as_the_header_says(
    page: Path, text: str, endpoint: Endpoint, waits: list[float]
) -> None:
    later = email.utils.formatdate(time.time() + 20, usegmt=True)
    endpoint(
        Reply(status=429, headers={"Retry-After": "7"}),
        Reply(status=429, headers={"Retry-After": later}),
        Reply(status=429),
    )
    assert read_page(page)[1].markdown == text
    assert waits[0] == 7
    assert 15 < waits[1] <= 20
    assert waits[2] < 1


def test_retry_after_beyond_the_time_limit_fails_at_once(
    page: Path, endpoint: Endpoint, waits: list[float]
) -> None:
    server = endpoint(Reply(status=429, headers={"Retry-After": "100"}))
    with pytest.raises(EngineFailed, match="too many requests"):
        read_page(page)
    assert waits == []
    assert len(server.requests) == 1


@pytest.mark.parametrize("keep_alive", [False, True], ids=["silent", "kept alive"])
def test_stalled_model_keeps_the_text_so_far(
    page: Path, text: str, endpoint: Endpoint, keep_alive: bool
) -> None:
    endpoint(Reply(stall_after=9, keep_alive=keep_alive), STALL_SECONDS="0.3")
    _, done = read_page(page)
    assert done.markdown
    assert text.startswith(done.markdown)
    assert messages_of(done) == ["Page 1: the model sent no data for 0.3 s; its text up to there is kept."]


def test_request_without_a_first_token_is_retried(page: Path, text: str, endpoint: Endpoint) -> None:
    server = endpoint(Reply(stall_after=0), STALL_SECONDS="0.3")
    assert read_page(page)[1].markdown == text
    assert len(server.requests) == 2


def test_response_is_cut_at_the_time_limit_of_a_page(page: Path, endpoint: Endpoint) -> None:
    endpoint(Reply(stall_after=9, keep_alive=True))
    _, done = read_page(page, Options(engine="vision", page_seconds=0.6))
    assert "did not finish within the time limit" in done.warnings[0].message


def test_repetition_is_cut_where_it_starts(page: Path, text: str, endpoint: Endpoint) -> None:
    endpoint(Reply(loop_after=20))
    streamed, done = read_page(page)
    assert "repeat itself" in done.warnings[0].message
    assert text.startswith(done.markdown)
    assert len(done.markdown) < len(streamed) < 2_000


def test_response_is_cut_at_the_maximum_of_characters(page: Path, text: str, endpoint: Endpoint) -> None:
    endpoint(MAX_CHARACTERS="40")
    _, done = read_page(page)
    assert done.markdown == text[:40].rstrip()
    assert messages_of(done) == [
        "Page 1: the model wrote more than 40 characters; the text is cut off there."
    ]


def test_finish_reason_length_adds_a_warning(page: Path, text: str, endpoint: Endpoint) -> None:
    endpoint(Reply(length_after=9))
    _, done = read_page(page)
    assert text.startswith(done.markdown)
    assert messages_of(done) == ["Page 1: the model reached its maximum length; the text is cut off there."]


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(break_after=9), "closed the connection"),
        (Reply(end_after=9), "ended its response early"),
        (Reply(error_after=9), "reported an error"),
    ],
)
def test_incomplete_response_adds_a_warning_and_is_not_retried(
    page: Path, text: str, endpoint: Endpoint, reply: Reply, why: str
) -> None:
    server = endpoint(reply)
    _, done = read_page(page)
    assert why in done.warnings[0].message
    assert text.startswith(done.markdown)
    assert len(server.requests) == 1


def test_unreachable_endpoint_raises_engine_failed(page: Path, endpoint: Endpoint) -> None:
    endpoint(URL="http://127.0.0.1:9/v1")
    with pytest.raises(EngineFailed, match="could not be reached"):
        read_page(page)


# ── the fallback engine ──


def test_fallback_engine_reads_the_page_after_a_failure(page: Path, text: str, endpoint: Endpoint) -> None:
    endpoint(Reply(status=401), FALLBACK="rapid")
    streamed, done = read_page(page)
    assert streamed.split() == done.markdown.split() == text.split()
    assert all(line.box is not None for line in done.lines)
    assert messages_of(done) == ["Page 1: the model rejected the key (HTTP 401); “rapid” read it instead."]


def test_fallback_keeps_shown_text_until_the_page_is_done(page: Path, text: str, endpoint: Endpoint) -> None:
    endpoint(Reply(loop_after=20), FALLBACK="rapid")
    streamed, done = read_page(page)
    assert not streamed.startswith(done.markdown)
    assert done.markdown not in streamed
    assert done.markdown.split() == text.split()
    assert "“rapid” read it instead" in done.warnings[0].message


def test_fallback_that_fails_keeps_the_partial_text(page: Path, text: str, endpoint: Endpoint) -> None:
    endpoint(Reply(break_after=9), FALLBACK="no-such-engine")
    _, done = read_page(page)
    assert text.startswith(done.markdown)
    assert "its text up to there is kept" in done.warnings[0].message


# ── configuration ──


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"URL": ""}, "SCANRILL_VISION_URL"),
        ({"MODEL": ""}, "SCANRILL_VISION_MODEL"),
        ({"URL": "ftp://x/v1"}, "must be an http"),
        ({"URL": "http://ada:secret@x/v1"}, "SCANRILL_VISION_API_KEY"),
        ({"PROFILE": "none-such"}, "deepseek-ocr"),
        ({"STALL_SECONDS": "soon"}, "is invalid"),
    ],
)
def test_invalid_configuration_raises_engine_unavailable(
    endpoint: Endpoint, settings: dict[str, str], sentence: str
) -> None:
    endpoint(**settings)
    with pytest.raises(EngineUnavailable, match=sentence) as missing:
        load_engine("vision")
    assert "secret" not in str(missing.value)


def test_only_the_process_of_vision_inherits_its_settings(page: Path, text: str, endpoint: Endpoint) -> None:
    server = endpoint()
    process = EngineProcess("vision")
    try:
        [done] = [e for e in process.read(page, Options(engine="vision")) if isinstance(e, PageDone)]
        environment = Path(f"/proc/{process.pid}/environ").read_bytes()
    finally:
        process.stop()
    assert done.markdown == text
    assert server.keys == [f"Bearer {KEY}"]
    assert KEY.encode() in environment
    assert b"SCANRILL_DATA_DIR" not in environment
    other = EngineProcess("dummy")
    try:
        other.start()
        assert b"SCANRILL" not in Path(f"/proc/{other.pid}/environ").read_bytes()
    finally:
        other.stop()


# ── repetition ──


@pytest.mark.parametrize("unit", ["la ", "0", "The same line again.\n", "x" * 90 + "\n" + "y" * 150 + "\n"])
def test_truncate_at_of_a_repetition_keeps_it_once(unit: str) -> None:
    text, detector = "Once upon a time.\n", RepetitionDetector()
    for _ in range(10_000):
        text += unit
        if (end := detector.truncate_at(text)) is not None:
            break
    assert end is not None
    assert text[:end].startswith("Once upon a time.\n")
    assert len(text[:end]) <= len("Once upon a time.\n") + 2 * len(unit)
    assert len(text) < 3_500


@pytest.mark.parametrize(
    "text",
    [
        "|" + "---|" * 40,
        "Contents" + "." * 300,
        "|  |  |  |  |\n" * 30,
        "\n".join(f"| {n} | {n * 7 % 10} | 12.50 |" for n in range(200)),
        " ".join(lines_of_text(80)),
    ],
)
def test_truncate_at_of_regular_text_returns_none(text: str) -> None:
    detector = RepetitionDetector()
    assert all(detector.truncate_at(text[:end]) is None for end in range(1, len(text)))
