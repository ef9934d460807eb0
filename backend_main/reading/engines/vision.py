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

from ..errors import EngineFailed
from ..languages import code_of
from ..pages import PageImage
from ..types import Line, Options
from ..vision import chat, profiles, setup
from ..vision.chat import ChatError, Clock
from ..vision.loops import LoopWatch
from ..writing import written
from . import load_engine
from .base import Anew, Engine

ANSWER_SHARE = 0.75
"""Of a page's time; the rest is for another engine, should the endpoint fail."""
MOST_TRIES = 4
FIRST_WAIT_SECONDS = 1.0
_log = logging.getLogger("scanrill.reading")


class Failed(Exception):
    """The page is not to be had from the endpoint; the message is the end of a sentence."""


class VisionEngine(Engine):
    name = "vision"
    streams_tokens = True
    gives_boxes = False
    rewrites_page = True
    profiles = tuple(profiles.PROFILES)
    variables = setup.VARIABLES | {"SSL_CERT_FILE", "SSL_CERT_DIR"}
    sends_pages_away = True

    @classmethod
    def lacking(cls) -> str:
        try:
            settings = setup.from_environment(os.environ)
        except ValueError:
            return f"a variable {setup.PREFIX}… has a value that is none."
        if settings.profile and settings.profile not in cls.profiles:
            return f"{setup.PREFIX}PROFILE is none of {', '.join(cls.profiles)}."
        return settings.wrong

    def load(self, threads: int) -> None:
        self._settings = setup.from_environment(os.environ)
        self._threads = threads
        self._stand_in: Engine | None = None
        self.prepare(Options())

    def prepare(self, options: Options) -> None:
        self._options = options
        self._profile = profiles.named(options.profile or self._settings.profile, self._settings.model)

    def read_page(self, page: PageImage) -> Iterator[Line | Anew]:
        self._warnings: list[str] = []
        self._markdown: str | None = None
        self._answer = self._profile.answer()
        try:
            yield from self._ask(page)
            self._markdown = self._answer.markdown()
        except Failed as error:
            yield from self._fall_back(page, f"the model {error}")

    def final_markdown(self, page: PageImage, lines: Sequence[Line]) -> str:
        return "".join(line.markdown for line in lines) if self._markdown is None else self._markdown

    def warnings(self) -> Sequence[str]:
        return self._warnings

    def close(self) -> None:
        if self._stand_in is not None:
            self._stand_in.close()

    # ── asking ──

    def _ask(self, page: PageImage) -> Iterator[Line]:
        """The answer as it comes. Raises Failed."""
        until = time.monotonic() + ANSWER_SHARE * self._options.page_seconds
        clock = Clock(until, self._settings.stall_seconds)
        png = _png(page, self._profile.longest_side)
        for attempt in range(1, MOST_TRIES + 1):
            try:
                yield from self._listen(page, chat.ask(self._settings, self._profile.prompt, png, clock))
                return
            except ChatError as error:
                # What was said cannot be taken back, so it is not asked anew behind it.
                if self._answer.said or not error.again or attempt == MOST_TRIES:
                    raise Failed(str(error)) from None
                _wait(error, attempt, clock)

    def _listen(self, page: PageImage, pieces: Iterator[chat.Piece]) -> Iterator[Line]:
        watch, answer = LoopWatch(), self._answer
        for piece in pieces:
            if text := answer.feed(piece.text):
                yield Line(page.number, text, text)
            if (end := watch.cut(answer.said)) is not None:
                answer.said = answer.said[:end]
                raise Failed("began to repeat itself")
            if len(answer.said) > self._settings.max_characters:
                answer.said = answer.said[: self._settings.max_characters]
                self._warn(page, f"the model wrote more than {self._settings.max_characters} characters")
                return
            if piece.finish == "length":
                self._warn(page, "the model reached the end of what it may write")

    def _warn(self, page: PageImage, what: str) -> None:
        self._warnings.append(f"Page {page.number}: {what}; the text is cut off there.")

    # ── falling back ──

    def _fall_back(self, page: PageImage, why: str) -> Iterator[Line | Anew]:
        """Another engine's page, or what there is of this one's. Raises EngineFailed where nothing is."""
        _log.warning("page %d: %s", page.number, why)
        name = self._settings.fallback
        try:
            if name and name != self.name:
                yield from self._read_instead(self._loaded(name), page)
                self._warnings = [f"Page {page.number}: {why}; “{name}” read it instead.", *self._warnings]
                return
        except Exception as error:
            _log.error("“%s” could not read in its place", name, exc_info=error)
            yield Anew()
        self._markdown = self._answer.markdown()
        if not self._markdown:
            raise EngineFailed(f"Page {page.number} could not be read: {why}.")
        self._warnings.append(f"Page {page.number}: {why}; what it had written stands here.")

    def _read_instead(self, engine: Engine, page: PageImage) -> Iterator[Line | Anew]:
        yield Anew()
        lines: list[Line] = []
        for line in engine.read_page(page):
            lines = lines if isinstance(line, Line) else []
            if isinstance(line, Line) and line.text:
                lines.append(line)
            yield line
        arranged, told = written(engine, page, lines, self._threads)
        self._markdown = arranged.markdown
        self._warnings = [*engine.warnings(), *told]

    def _loaded(self, name: str) -> Engine:
        if self._stand_in is None:
            self._stand_in = load_engine(name, self._threads)
        known = self._stand_in.readable()
        languages = tuple(word for word in self._options.languages if code_of(word) in known)
        self._stand_in.prepare(msgspec.structs.replace(self._options, languages=languages, profile=""))
        return self._stand_in


def _wait(error: ChatError, attempt: int, clock: Clock) -> None:
    """As long as the endpoint asks for, where that leaves time to answer. Raises Failed where it does not."""
    seconds = error.after_seconds
    if seconds is None:
        seconds = FIRST_WAIT_SECONDS * 2 ** (attempt - 1)
    if time.monotonic() + seconds >= clock.deadline:
        raise Failed(str(error))
    time.sleep(seconds)


def _png(page: PageImage, longest_side: int) -> bytes:
    image = Image.fromarray(page.pixels[:, :, ::-1])
    image.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)  # twice as quick as the default, and hardly larger
    return buffer.getvalue()
