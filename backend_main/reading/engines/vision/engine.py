"""Step 10 - any OpenAI-compatible endpoint: a page goes out as a picture, its text comes back token by token.

Models of this kind loop, break off, invent and stall. Each page has its time and its length; what goes wrong
is a warning of the page, and another engine reads it where one is named in `SCANRILL_VISION_FALLBACK`.
"""

import io
import logging
import os
import time
from collections.abc import Iterator, Sequence

import msgspec
from PIL import Image

from ...documents.document import PageImage
from ...errors import EngineFailed
from ...languages import normalize_code
from ...page_assembly import finalize_page
from ...types import Line, Options
from .. import load_engine
from ..base import Engine, PageRestarted
from . import config as vision_config
from . import openai_client, profiles
from .openai_client import ChatError, Deadlines
from .repetition import RepetitionDetector

RESPONSE_SHARE = 0.75
"""Of a page's time; the rest is for another engine, should the endpoint fail."""
MAX_ATTEMPTS = 4
FIRST_RETRY_SECONDS = 1.0
_log = logging.getLogger("scanrill.reading")


class VisionRequestError(Exception):
    """The page is not to be had from the endpoint; the message is the end of a sentence."""


class VisionEngine(Engine):
    name = "vision"
    streams_tokens = True
    provides_boxes = False
    has_final_markdown = True
    profiles = tuple(profiles.PROFILES)
    environment_variables = vision_config.VARIABLES | {"SSL_CERT_FILE", "SSL_CERT_DIR"}
    is_remote = True

    @classmethod
    def unavailable_reason(cls) -> str | None:
        try:
            settings = vision_config.from_environment(os.environ)
        except ValueError:
            return f"a variable {vision_config.PREFIX}… has a value that is none."
        if settings.profile and settings.profile not in cls.profiles:
            return f"{vision_config.PREFIX}PROFILE is none of {', '.join(cls.profiles)}."
        return settings.validation_error or None

    def load(self, threads: int) -> None:
        self._settings = vision_config.from_environment(os.environ)
        self._threads = threads
        self._fallback_engine: Engine | None = None
        self.configure(Options())

    def configure(self, options: Options) -> None:
        self._options = options
        self._profile = profiles.select_profile(
            options.profile or self._settings.profile, self._settings.model
        )

    def read_page(self, page: PageImage) -> Iterator[Line | PageRestarted]:
        self._warnings: list[str] = []
        self._markdown: str | None = None
        self._response = self._profile.response_parser()
        try:
            yield from self._request_page(page)
            self._markdown = self._response.markdown()
        except VisionRequestError as error:
            yield from self._fall_back(page, f"the model {error}")

    def final_markdown(self, page: PageImage, lines: Sequence[Line]) -> str:
        return "".join(line.markdown for line in lines) if self._markdown is None else self._markdown

    def warnings(self) -> Sequence[str]:
        return self._warnings

    def close(self) -> None:
        if self._fallback_engine is not None:
            self._fallback_engine.close()

    # ── asking ──

    def _request_page(self, page: PageImage) -> Iterator[Line]:
        """The answer as it comes. Raises VisionRequestError."""
        until = time.monotonic() + RESPONSE_SHARE * self._options.page_seconds
        clock = Deadlines(until, self._settings.stall_seconds)
        png = _png(page, self._profile.longest_side)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                yield from self._consume_stream(
                    page, openai_client.stream_completion(self._settings, self._profile.prompt, png, clock)
                )
                return
            except ChatError as error:
                # What was said cannot be taken back, so it is not asked anew behind it.
                if self._response.raw or not error.retryable or attempt == MAX_ATTEMPTS:
                    raise VisionRequestError(str(error)) from None
                _wait(error, attempt, clock)

    def _consume_stream(self, page: PageImage, pieces: Iterator[openai_client.Delta]) -> Iterator[Line]:
        watch, answer = RepetitionDetector(), self._response
        for piece in pieces:
            if text := answer.feed(piece.text):
                yield Line(page.number, text, text)
            if (end := watch.truncate_at(answer.raw)) is not None:
                answer.raw = answer.raw[:end]
                raise VisionRequestError("began to repeat itself")
            if len(answer.raw) > self._settings.max_characters:
                answer.raw = answer.raw[: self._settings.max_characters]
                self._warn(page, f"the model wrote more than {self._settings.max_characters} characters")
                return
            if piece.finish == "length":
                self._warn(page, "the model reached the end of what it may write")

    def _warn(self, page: PageImage, what: str) -> None:
        self._warnings.append(f"Page {page.number}: {what}; the text is cut off there.")

    # ── falling back ──

    def _fall_back(self, page: PageImage, why: str) -> Iterator[Line | PageRestarted]:
        """Another engine's page, or what there is of this one's. Raises EngineFailed where nothing is."""
        _log.warning("page %d: %s", page.number, why)
        name = self._settings.fallback
        try:
            if name and name != self.name:
                yield from self._read_with_fallback(self._loaded(name), page)
                self._warnings = [f"Page {page.number}: {why}; “{name}” read it instead.", *self._warnings]
                return
        except Exception as error:
            _log.error("“%s” could not read in its place", name, exc_info=error)
            yield PageRestarted()
        self._markdown = self._response.markdown()
        if not self._markdown:
            raise EngineFailed(f"Page {page.number} could not be read: {why}.")
        self._warnings.append(f"Page {page.number}: {why}; what it had written stands here.")

    def _read_with_fallback(self, engine: Engine, page: PageImage) -> Iterator[Line | PageRestarted]:
        yield PageRestarted()
        lines: list[Line] = []
        for line in engine.read_page(page):
            lines = lines if isinstance(line, Line) else []
            if isinstance(line, Line) and line.text:
                lines.append(line)
            yield line
        arranged, told = finalize_page(engine, page, lines, self._threads)
        self._markdown = arranged.markdown
        self._warnings = [*engine.warnings(), *told]

    def _loaded(self, name: str) -> Engine:
        if self._fallback_engine is None:
            self._fallback_engine = load_engine(name, self._threads)
        known = self._fallback_engine.supported_languages()
        languages = tuple(word for word in self._options.languages if normalize_code(word) in known)
        self._fallback_engine.configure(
            msgspec.structs.replace(self._options, languages=languages, profile="")
        )
        return self._fallback_engine


def _wait(error: ChatError, attempt: int, clock: Deadlines) -> None:
    """As long as the endpoint asks for, where that leaves time to answer. Raises VisionRequestError where it does not."""
    seconds = error.retry_after_seconds
    if seconds is None:
        seconds = FIRST_RETRY_SECONDS * 2 ** (attempt - 1)
    if time.monotonic() + seconds >= clock.deadline:
        raise VisionRequestError(str(error))
    time.sleep(seconds)


def _png(page: PageImage, longest_side: int) -> bytes:
    image = Image.fromarray(page.pixels[:, :, ::-1])
    image.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)  # twice as quick as the default, and hardly larger
    return buffer.getvalue()
