"""Reading of a page with a text layer: its lines, and those of the parts that it does not cover."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec

from . import warning_texts
from .born_digital.document_context import context_of
from .born_digital.notes import append_notes, note_lines
from .born_digital.rotations import RotationsAssembly, live_order
from .documents.document import Document
from .documents.pdf_text_layer import TextLayer, TextRun
from .documents.unread_areas import paint_over
from .engines import Engine, LazyEngine
from .fallback import FallbackEngines
from .languages import main_scripts, scripts_of, scripts_of_text
from .layout.reading_order import OrderedBox, level_order, reading_order
from .output.formatted_page import FormattedPage
from .output.markdown import MarkdownWriter
from .page_assembly import (
    AssemblySettings,
    assemble_or_fall_back,
    from_streamed_lines,
    layout_failed,
    layout_too_dense,
)
from .recognized_formulas import recognized_formula_share
from .text_layer_check import compare_lines, read_runs
from .types import Line, Options, PageWarning
from .unread_text import Readers, UnreadText, read_unread_areas, text_runs

MAX_LOST_SHARE, MAX_LOST_LINES = 0.3, 30
"""If more lines have lost letters, the whole page is recognized."""
_log = logging.getLogger("scanrill.reading")


class TextLayerReader:
    """Reader of one page with a text layer. Its results are final once `stream` is exhausted."""

    def __init__(
        self,
        layer: TextLayer,
        number: int,
        document: Document,
        engine: LazyEngine,
        options: Options,
        fallback: FallbackEngines,
        settings: AssemblySettings,
    ) -> None:
        self._layer = layer
        self._number = number
        self._document = document
        self._engine = engine
        self._options = options
        self._fallback = fallback
        self._settings = settings
        self._places: dict[int, int] = {}
        self._assembly: RotationsAssembly | None = None
        self.lines: list[Line] = []
        self.formatted = FormattedPage("", "")
        self.warnings: list[PageWarning] = []

    def is_trusted(self) -> bool:
        """Return whether the text layer is what the page shows. Only suspect lines are recognized."""
        if self._layer.with_lost_letters and not self._restore_letters():
            return False
        sample = [self._layer.runs[index] for index in self._layer.sample]
        if not sample or self._engine.kind.is_test_engine:  # its lines have nothing to do with the image
            return not self._layer.is_unseen
        page = self._document.page(self._number)
        engine = self._engine_for(sample)
        comparison = compare_lines(page, sample, engine) if engine else None
        if self._layer.is_unseen:
            return comparison is not None and comparison.is_better_than_recognition
        if comparison is not None:
            if comparison.is_same or (not self._reads_script_of(sample) and comparison.is_roughly_same):
                return True
            if comparison.is_sure:
                return False
        # The engine cannot decide. If the page has another script, an engine for it reads the page.
        script = self._fallback.detect_script(page)
        is_other = script is not None and script.name not in scripts_of_text(run.text for run in sample)
        if script is not None and script.is_sure and is_other:
            return False
        self.warnings.append(warning_texts.text_not_checked(self._number))
        return True

    def _reads_script_of(self, sample: Sequence[TextRun]) -> bool:
        scripts = main_scripts(run.text for run in sample)
        known = scripts_of(self._engine.kind.supported_languages())
        return not scripts or not known or bool(scripts & known)

    def _engine_for(self, sample: Sequence[TextRun]) -> Engine | None:
        """Return an engine that reads the script of a sample, or None. Any other would read look-alikes."""
        if self._reads_script_of(sample):
            return self._engine.get()
        for script in sorted(main_scripts(run.text for run in sample)):
            for engine in self._fallback.engines_for_script(script, self._options, with_latin=True):
                return engine
        return None

    def _restore_letters(self) -> bool:
        """Recognize the lines that have lost letters. Returns whether they are few enough for that."""
        indices = self._layer.with_lost_letters
        if len(indices) > MAX_LOST_SHARE * len(self._layer.runs) or len(indices) > MAX_LOST_LINES:
            return False
        if self._engine.kind.is_test_engine or not self._engine.kind.provides_boxes:
            restored: list[TextRun | None] = [None] * len(indices)
        else:
            lost = [self._layer.runs[index] for index in indices]
            restored = read_runs(self._document.page(self._number), lost, self._engine.get())
        runs = list(self._layer.runs)
        for index, run in zip(indices, restored, strict=True):
            runs[index] = run or runs[index]
        if None in restored:
            boxes = [runs[index].box for index, run in zip(indices, restored, strict=True) if run is None]
            self.warnings.append(warning_texts.letters_not_named(self._number, boxes))
        self._layer = replace(self._layer, runs=tuple(runs))
        return True

    def stream(self) -> Iterator[Line]:
        """Yield the lines of the text layer in reading order, and then those that an engine recognizes."""
        writer = MarkdownWriter()
        runs = self._layer.runs
        order = self._live_order()
        shown = {ordered.index: ordered.prefix for ordered in order}
        # Page furniture, and parts of fractions, have no place of their own in the text, but are lines.
        indices = [*shown, *(index for index in range(len(runs)) if index not in shown)]
        self._places = {index: place for place, index in enumerate(indices)}
        for index in indices:
            run = runs[index]
            text = self._assembly.text(index) if self._assembly else run.text
            markdown = writer.write(shown[index], text) if index in shown else ""
            self.lines.append(Line(self._number, run.text, markdown, run.box, words=run.words))
            yield self.lines[-1]
        recognized = self._recognize()
        for index, line in enumerate(recognized.lines):
            markdown = writer.write("\n" if index else "\n\n", line.text)
            self.lines.append(msgspec.structs.replace(line, page=self._number, markdown=markdown))
            yield self.lines[-1]
        self._assemble(recognized)
        notes = note_lines(self._layer.notes, self._number, is_first=not self.lines)
        self.lines += notes
        yield from notes
        self.warnings += recognized.warnings

    def formula_share(self) -> float:
        """Return the share of the page that is in formulas without LaTeX, once `stream` is exhausted."""
        if self._assembly is None:
            return recognized_formula_share(self.lines)
        return self._assembly.plain_formula_share

    def _live_order(self) -> list[OrderedBox]:
        """Return the order of the final Markdown; after any error, an order by the boxes alone.

        The first page is not kept waiting for the sample of the document: page furniture is in its live text.
        """
        if self._layer.is_too_dense:
            return level_order([run.box for run in self._layer.runs])
        try:
            context = context_of(self._document)
            if not context.is_ready:
                return live_order(self._layer, self._number)
            self._assembly = self._assembly_of(self._layer)
            return self._assembly.live()
        except Exception:
            _log.exception("The order of page %d failed; its lines are ordered by their boxes.", self._number)
            self._assembly = None
            return reading_order([run.box for run in self._layer.runs])

    def _assembly_of(self, layer: TextLayer) -> RotationsAssembly:
        return RotationsAssembly(layer, self._number, context_of(self._document), self._options.furniture)

    def _recognize(self) -> UnreadText:
        areas = self._layer.unread_areas
        if not areas:
            return UnreadText()
        page = self._document.page_without_text(self._number)
        if self._layer.is_unseen:
            paint_over(page.pixels, [run.box for run in self._layer.runs])
        readers = Readers(self._engine.get(), self._options, self._fallback, self._settings)
        return read_unread_areas(page, areas, self._layer.runs, readers)

    def _assemble(self, recognized: UnreadText) -> None:
        """Assemble the page by its text layer, or by its picture if most of its letters are recognized."""
        if self._layer.is_unseen or sum(len(line.text) for line in recognized.lines) > sum(
            len(run.text) for run in self._layer.runs
        ):
            self.formatted, warnings = self._assemble_by_picture()
            self.warnings += warnings
            self._assembly = None
            return
        if self._layer.is_too_dense:
            self.formatted = from_streamed_lines(self.lines)
            self.warnings.append(layout_too_dense(self._number))
            return
        try:
            assembly = self._assembly
            if assembly is None or recognized.lines:
                runs = (*self._layer.runs, *text_runs(recognized.lines, self._layer))
                assembly = self._assembly_of(replace(self._layer, runs=runs))
            # Recognized lines have the place of their run.
            self.formatted = assembly.formatted().with_places(lambda index: self._places.get(index, index))
            self._assembly = assembly
        except Exception:
            _log.exception("The layout of page %d failed; its streamed text is used.", self._number)
            self.formatted = from_streamed_lines(self.lines)
            self.warnings.append(layout_failed(self._number))

    def _assemble_by_picture(self) -> tuple[FormattedPage, list[PageWarning]]:
        formatted, warnings = assemble_or_fall_back(
            self._number,
            lambda: self._document.page(self._number).pixels,
            self.lines,
            self._settings,
        )
        return append_notes(formatted, self._layer.notes), warnings
