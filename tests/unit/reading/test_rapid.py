"""Tests of the default engine on drawn pages, and on receipts if the data is available."""

import statistics
import sys
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import psutil
import pytest
from PIL import Image, ImageDraw, ImageFont

from backend_main.reading import (
    Line,
    Options,
    PageDone,
    read,
)
from backend_main.reading.character_sets import covered_languages
from backend_main.reading.documents.document import PageImage
from backend_main.reading.documents.pixels import Pixels
from backend_main.reading.engines import load_engine, validate_options
from backend_main.reading.engines.base import Engine
from backend_main.reading.engines.rapid import detector, first_lines
from backend_main.reading.engines.rapid.detector import Quads
from backend_main.reading.engines.rapid.engine import RapidEngine
from backend_main.reading.engines.rapid.letters import LANGUAGES_BY_PROFILE, UNREAD_LETTERS
from backend_main.reading.engines.rapid.model_files import PROFILES
from backend_main.reading.engines.rapid.recognizer import insert_likely_spaces, padded_width
from backend_main.reading.errors import UnsupportedOption
from backend_main.reading.inference import Floats, InferenceSession, OnnxSession, OpenVinoSession
from backend_main.reading.layout import layout_model
from backend_main.reading.layout.geometry import PageFrame
from tests.support.scoring import score
from tests.unit.reading import test_bleed_through

RECEIPTS = Path(__file__).parents[3] / "../shared/data/sroie"
WORDS = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "a",
    "lazy",
    "dog",
    "while",
    "seven",
    "wizards",
    "mix",
    "bright",
    "jugs",
    "of",
    "liquid",
]


@pytest.fixture(scope="session")
def rapid() -> Iterator[Engine]:
    engine = load_engine("rapid")
    yield engine
    engine.close()


def sentence(number: int) -> str:
    return f"{number:02} " + " ".join(WORDS[(number + step) % len(WORDS)] for step in range(7))


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    image = Image.new("RGB", (1000, 1300), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=26)
    for number in range(30):
        draw.text((60, 40 + 40 * number), sentence(number), fill="black", font=font)
    path = tmp_path_factory.mktemp("drawn") / "page.png"
    image.save(path)
    return path


def timed(path: Path, engine: Engine) -> tuple[list[tuple[float, Line]], PageDone]:
    lines = []
    for event in read(path, Options(), engine):
        if isinstance(event, Line):
            lines.append((time.monotonic(), event))
        elif isinstance(event, PageDone):
            done = event
    return lines, done


def test_rapid_reads_a_drawn_page_word_for_word(rapid: Engine, drawn: Path) -> None:
    _, done = timed(drawn, rapid)
    truth = "\n".join(sentence(number) for number in range(30))
    result = score(done.markdown, truth)
    assert result.cer < 0.01
    assert result.word_f1 > 0.98


def test_rapid_streams_lines_with_the_words_of_the_page(rapid: Engine, drawn: Path) -> None:
    # Only the words: paragraphs and tables are decided when all lines are known.
    lines, done = timed(drawn, rapid)
    assert "".join(line.markdown for _, line in lines).split() == done.markdown.split()
    batches = [list(group) for _, group in groupby(lines, key=lambda timed_line: round(timed_line[0], 3))]
    assert len(lines) == 30
    assert len(batches) >= 3


def test_boxes_are_where_the_lines_were_drawn(rapid: Engine, drawn: Path) -> None:
    lines, _ = timed(drawn, rapid)
    for number, (_, line) in enumerate(lines):
        assert line.box is not None
        (left, top), _, (right, bottom), _ = line.box
        assert abs(left - 60) < 15
        assert abs((top + bottom) / 2 - (40 + 40 * number + 16)) < 12
        assert left < right
        assert line.confidence is not None
        assert 0.5 <= line.confidence <= 1


def test_boxes_of_a_large_page_are_in_pixels_of_the_page(rapid: Engine, drawn: Path) -> None:
    with Image.open(drawn) as image:
        large = np.asarray(image.resize((3000, 3900)))[:, :, ::-1].copy()
    lines = list(rapid.read_page(PageImage(1, large, 3000, 3900)))
    assert len(lines) == 30
    assert lines[29].box is not None
    assert abs(lines[29].box[0][1] - 3 * (40 + 40 * 29)) < 40


@pytest.mark.parametrize("size", [(800, 600), (3000, 20), (20, 3000), (1, 1)])
def test_empty_page_of_any_shape_has_no_lines(rapid: Engine, size: tuple[int, int]) -> None:
    width, height = size
    assert (
        list(rapid.read_page(PageImage(1, np.full((height, width, 3), 255, np.uint8), width, height))) == []
    )


def test_rapid_reads_a_strip_of_one_line(rapid: Engine) -> None:
    image = Image.new("RGB", (900, 34), "white")
    ImageDraw.Draw(image).text((20, 2), sentence(7), fill="black", font=ImageFont.load_default(size=24))
    page = PageImage(1, np.asarray(image)[:, :, ::-1].copy(), 900, 34)
    assert [line.text for line in rapid.read_page(page)] == [sentence(7)]


def test_rapid_reads_small_print_on_a_large_page(rapid: Engine) -> None:
    image = Image.new("RGB", (2480, 3508), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=20)
    for number in range(60):
        draw.text((200, 200 + 26 * number), sentence(number), fill="black", font=font)
    page = PageImage(1, np.asarray(image)[:, :, ::-1].copy(), 2480, 3508)
    read_text = "\n".join(line.text for line in rapid.read_page(page))
    assert score(read_text, "\n".join(sentence(number) for number in range(60))).word_f1 > 0.95


@pytest.fixture(scope="module")
def two_columns() -> PageImage:
    """A title above two columns, and one line below. Each line starts with its number in reading order."""
    image = Image.new("RGB", (1200, 1500), "white")
    draw = ImageDraw.Draw(image)
    draw.text((300, 40), "00 A title over both of the columns", fill="black", font=ImageFont.load_default(40))
    font = ImageFont.load_default(size=22)
    for number in range(1, 61):
        left, row = (60, number) if number <= 30 else (640, number - 30)
        draw.text((left, 90 + 36 * row), sentence(number)[:42], fill="black", font=font)
    draw.text((60, 1380), sentence(61), fill="black", font=font)
    return PageImage(1, np.asarray(image)[:, :, ::-1].copy(), 1200, 1500)


def numbers(lines: list[Line]) -> list[int]:
    return [int(line.text[:2]) for line in lines]


@pytest.mark.parametrize("profile", ["accurate", "fast"])
def test_rapid_reads_two_columns_in_order_each_line_once(
    rapid: Engine, two_columns: PageImage, profile: str
) -> None:
    rapid.configure(Options(profile=profile))
    assert numbers(list(rapid.read_page(two_columns))) == list(range(62))


def test_read_page_of_curled_page_reads_lines_on_their_curves(rapid: Engine, two_columns: PageImage) -> None:
    height, width = two_columns.pixels.shape[:2]
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    rise = np.asarray(0.04 * height * np.sin(np.pi * xs / width), np.float32)
    curled = cv2.remap(two_columns.pixels, xs, ys - rise, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    lines = list(rapid.read_page(PageImage(1, np.asarray(curled, np.uint8), width, height)))
    flat = {line.text: line.box for line in rapid.read_page(two_columns)}
    assert len(flat.keys() & {line.text for line in lines}) > 0.9 * len(flat)
    for line in lines:
        if line.box and (level := flat.get(line.text)):
            for (x, y), (_, level_y) in zip(line.box, level, strict=True):
                assert abs(y - level_y - 0.04 * height * np.sin(np.pi * x / width)) < 30


def test_read_page_with_print_shining_through_reads_its_front_only(rapid: Engine) -> None:
    pixels = test_bleed_through.page(has_back=True)
    height, width = pixels.shape[:2]
    texts = [line.text for line in rapid.read_page(PageImage(1, pixels, width, height))]
    assert texts == ["seven wizards quietly jump"] * len(test_bleed_through.FRONT_TOPS)


def test_first_line_comes_before_detection_of_the_whole_page(
    two_columns: PageImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = RapidEngine()
    engine.load(threads=1)
    heights: list[int] = []
    detector = engine._models._detector
    detect = detector.detect_with_map

    def record(pixels: Pixels) -> tuple[Quads, Floats]:
        heights.append(len(pixels))
        return detect(pixels)

    monkeypatch.setattr(detector, "detect_with_map", record)
    lines = engine.read_page(two_columns)
    assert next(lines).text.startswith("00")
    assert heights == [192]
    assert numbers(list(lines)) == list(range(1, 62))
    assert heights == [192, 1280]
    engine.close()


def test_early_lines_do_not_change_the_text_of_the_page(
    rapid: Engine, drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_strip = timed(drawn, rapid)[1].markdown
    monkeypatch.setattr(first_lines, "strip_height", lambda height, width: 0)
    assert timed(drawn, rapid)[1].markdown == with_strip


def test_early_line_with_low_confidence_is_left_to_the_whole_page(
    rapid: Engine, drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_lines, "ACCEPT_CONFIDENCE", 1.1)
    read_counts: list[int] = []
    exclude = first_lines.exclude_already_read

    def spy(quads: Quads, read: list[Quads]) -> Quads:
        read_counts.append(len(read))
        return exclude(quads, read)

    monkeypatch.setattr(first_lines, "exclude_already_read", spy)
    assert len(timed(drawn, rapid)[0]) == 30
    assert read_counts == [0]


def test_line_read_to_detect_rotation_is_recognized_once(
    rapid: RapidEngine, drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_lines, "strip_height", lambda height, width: 0)
    calls: list[bytes] = []
    words = rapid._models.recognize
    monkeypatch.setattr(
        rapid._models, "recognize", lambda sheet, quad: (calls.append(quad.tobytes()), words(sheet, quad))[1]
    )
    assert len(timed(drawn, rapid)[0]) == 30
    assert len(calls) == len(set(calls)) == 30


def test_padded_width_has_few_values_close_to_the_width() -> None:
    widths = {width: padded_width(width) for width in range(1, 6000)}
    assert len(set(widths.values())) < 50
    assert all(width <= padded <= max(64, width * 1.17 + 32) for width, padded in widths.items())


def test_onnx_session_frees_memory_after_a_large_page() -> None:
    network, process = OnnxSession(PROFILES["fast"]().detection, 1), psutil.Process()
    held = []
    for side in (1280, 2560):
        image = np.zeros((1, 3, side, side), np.float32)
        network.run(image, len)
        held.append(process.memory_info().rss - image.nbytes)
    assert held[1] < held[0] + (64 << 20)


@pytest.mark.parametrize("profile", ["accurate", "fast"])
@pytest.mark.parametrize("runtime", [OnnxSession, OpenVinoSession])
def test_each_runtime_and_profile_reads_without_network_access(
    drawn: Path, runtime: type[InferenceSession], profile: str
) -> None:
    if runtime is OpenVinoSession:
        pytest.importorskip("openvino", reason="NOT TESTED: OpenVINO is not installed")
    calls: list[str] = []
    # An audit hook cannot be removed; this one records nothing after `recording` is cleared.
    recording = [True]
    sys.addaudithook(
        lambda event, _: calls.append(event) if recording and event.startswith("socket.") else None
    )
    engine = RapidEngine(runtime)
    engine.load(threads=2)
    done = [event for event in read(drawn, Options(profile=profile), engine) if isinstance(event, PageDone)]
    engine.close()
    recording.clear()
    assert score(done[0].markdown, "\n".join(sentence(number) for number in range(30))).word_f1 > 0.98
    assert calls == []


@pytest.mark.parametrize("network_side", [640, 1216])
def test_detector_input_rounds_similar_sizes_to_one(network_side: int) -> None:
    sizes = {
        detector._as_input(np.zeros((1280, side, 3), np.uint8)).shape
        for side in range(network_side - 31, network_side + 32)
    }
    assert sizes == {(1, 3, 1280, network_side)}


def test_network_inputs_keep_the_colors() -> None:
    pixels = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3)
    floats = detector.to_normalized_chw(pixels)
    assert np.allclose(floats, pixels.transpose(2, 0, 1) / 127.5 - 1, atol=1e-6)
    layout_input = layout_model._to_input(pixels)[0].transpose(1, 2, 0)
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    assert np.allclose(layout_input, (pixels / 255 - mean) / deviation, atol=1e-5)


def test_detect_regions_is_equal_with_both_runtimes(
    two_columns: PageImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino", reason="NOT TESTED: OpenVINO is not installed")
    found = []
    for runtime in (OnnxSession, OpenVinoSession):
        network = runtime(layout_model.MODEL_PATH, 1)
        monkeypatch.setattr(layout_model, "_session", lambda _, network=network: network)
        found.append(layout_model.detect_regions(two_columns.pixels, PageFrame(0.0), 1))
    onnx, openvino = (sorted((one.kind, one.left, one.top) for one in regions) for regions in found)
    assert onnx
    assert [kind for kind, *_ in onnx] == [kind for kind, *_ in openvino]
    for (_, *one), (_, *other) in zip(onnx, openvino, strict=True):
        assert np.allclose(one, other, atol=15)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_rapid_reads_the_words_of_receipts(rapid: Engine) -> None:
    images = sorted(RECEIPTS.glob("*.jpg"))
    if not images:
        pytest.skip("NOT TESTED: the receipts are not available")
    scores = [
        score(timed(path, rapid)[1].markdown, path.with_suffix(".gt.txt").read_text()) for path in images
    ]
    assert statistics.mean(one.word_f1 for one in scores) >= 0.88


@pytest.mark.parametrize("profile", RapidEngine.profiles)
def test_languages_are_those_whose_letters_the_model_has(profile: str) -> None:
    files = PROFILES[profile]()
    if files.characters:
        characters = files.characters.read_text()
    else:
        about = onnxruntime.InferenceSession(files.recognition).get_modelmeta().custom_metadata_map
        characters = about["character"]
    known = set(characters.splitlines()) - set(UNREAD_LETTERS[profile])
    assert LANGUAGES_BY_PROFILE[profile] == covered_languages(known)


def test_languages_of_the_fast_profile_are_those_it_has_letters_for(rapid: Engine) -> None:
    rapid.configure(Options(profile="fast"))
    assert "ja" not in rapid.configured_languages()
    with pytest.raises(UnsupportedOption, match=r"fast.*ja") as raised:
        validate_options(RapidEngine, Options(profile="fast", languages=("en", "ja")))
    assert raised.value.option == "languages"
    validate_options(RapidEngine, Options(languages=("en", "ja")))
    rapid.configure(Options(languages=("en", "ja")))
    assert "ja" in rapid.configured_languages()


@pytest.mark.parametrize(
    ("steps", "spaces", "text"),
    [
        ("a-b", {1: 0.4}, "a b"),
        ("a-b", {1: 0.2}, "ab"),
        ("a---b", {1: 0.31, 2: 0.45, 3: 0.4}, "a b"),
        ("ab", {0: 0.4, 1: 0.4}, "ab"),
        ("-a-", {0: 0.4, 2: 0.4}, "a"),
        ("a- -b", {1: 0.4, 3: 0.4}, "a b"),
        ("a-a", {1: 0.4}, "a a"),
        ("字-字", {1: 0.4}, "字字"),
        ("字-a", {1: 0.4}, "字 a"),
        ("a-b-a-----b-a", {7: 0.15}, "aba ba"),
        ("a-b-a-----b-a", {7: 0.05}, "ababa"),
        ("a-b-a-b-a", {5: 0.15}, "ababa"),
        ("ab--ab", {2: 0.15}, "ab ab"),
        ("ab-ab", {2: 0.15}, "abab"),
    ],
)
def test_insert_likely_spaces_between_letters(steps: str, spaces: dict[int, float], text: str) -> None:
    known = "-ab字 "
    likeliest = np.array([known.index(step) for step in steps])
    likely = np.array([spaces.get(step, 0.0) for step in range(len(steps))], np.float32)
    is_cjk = np.array([letter == "字" for letter in known])
    read = [known[number] for number in insert_likely_spaces(likeliest, likely, is_cjk)]
    assert "".join(letter for letter, _ in groupby(read)).replace("-", "") == text
