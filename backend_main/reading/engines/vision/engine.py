"""Engine for vision-language models: sends a page as an image, and streams the text token by token.

Any OpenAI-compatible endpoint works. Such models loop, stop early, invent text and stall; a page therefore
has limits of time and of length. A failure is a `PageFailed`; the engine that `SCANRILL_VISION_FALLBACK`
names then reads the page.
"""

import io
import os
import time
from collections.abc import Iterator, Sequence

from PIL import Image

from ...documents.document import PageImage
from ...types import Line, Options, PageWarning
from ...warning_codes import WarningCode
from ..base import Engine, PageFailed
from . import config as vision_config
from . import openai_client, profiles
from .openai_client import ChatError, Deadlines
from .repetition import RepetitionDetector

RESPONSE_SHARE = 0.75
"""Share of a page's time for the endpoint; the rest is for the fallback engine."""
MAX_ATTEMPTS = 4
FIRST_RETRY_SECONDS = 1.0


class VisionEngine(Engine):
    """Engine that reads with a model behind an OpenAI-compatible endpoint."""

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
            config = vision_config.from_environment(os.environ)
        except ValueError as error:
            return f"A variable {vision_config.PREFIX}… is invalid: {error}."
        if config.profile and config.profile not in cls.profiles:
            return f"{vision_config.PREFIX}PROFILE must be one of {', '.join(cls.profiles)}."
        return config.validation_error

    @property
    def fallback_engine(self) -> str | None:
        return self._config.fallback or None

    def load(self, threads: int) -> None:
        self._config = vision_config.from_environment(os.environ)
        self.configure(Options())

    def configure(self, options: Options) -> None:
        self._page_seconds = options.page_seconds
        self._profile = profiles.select_profile(options.profile or self._config.profile, self._config.model)

    def read_page(self, page: PageImage) -> Iterator[Line]:
        self._warnings: list[PageWarning] = []
        self._response = self._profile.response_parser()
        deadlines = Deadlines(
            time.monotonic() + RESPONSE_SHARE * self._page_seconds, self._config.stall_seconds
        )
        png = _png(page, self._profile.longest_side)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            deltas = openai_client.stream_completion(self._config, self._profile.prompt, png, deadlines)
            try:
                yield from self._consume_stream(page, deltas)
                return
            except ChatError as error:
                # Text that streamed cannot be withdrawn, so a second response cannot follow it.
                if self._response.raw or not error.is_retryable or attempt == MAX_ATTEMPTS:
                    raise PageFailed(f"the model {error}") from None
                _wait_before_retry(error, attempt, deadlines)

    def final_markdown(self, page: PageImage, lines: Sequence[Line]) -> str:
        return self._response.markdown()

    def warnings(self) -> Sequence[PageWarning]:
        return self._warnings

    def _consume_stream(self, page: PageImage, deltas: Iterator[openai_client.Delta]) -> Iterator[Line]:
        repetition = RepetitionDetector()
        response = self._response
        max_characters = self._config.max_characters
        for delta in deltas:
            if text := response.feed(delta.text):
                yield Line(page.number, text, text)
            if (end := repetition.truncate_at(response.raw)) is not None:
                response.raw = response.raw[:end]
                raise PageFailed("the model began to repeat itself")
            if len(response.raw) > max_characters:
                response.raw = response.raw[:max_characters]
                self._warn_of_cut(page, f"wrote more than {max_characters} characters")
                return
            if delta.finish_reason == "length":
                self._warn_of_cut(page, "reached its maximum length")

    def _warn_of_cut(self, page: PageImage, cause: str) -> None:
        message = f"Page {page.number}: the model {cause}; the text is cut off there."
        self._warnings.append(PageWarning(WarningCode.INCOMPLETE_PAGE, message))


def _wait_before_retry(error: ChatError, attempt: int, deadlines: Deadlines) -> None:
    """Wait as long as the endpoint requests. Raises PageFailed if no time for a response would be left."""
    seconds = error.retry_after_seconds
    if seconds is None:
        seconds = FIRST_RETRY_SECONDS * 2 ** (attempt - 1)
    if time.monotonic() + seconds >= deadlines.deadline:
        raise PageFailed(f"the model {error}")
    time.sleep(seconds)


def _png(page: PageImage, longest_side: int) -> bytes:
    image = Image.fromarray(page.pixels[:, :, ::-1])
    image.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)  # twice as fast as the default, and hardly larger
    return buffer.getvalue()
