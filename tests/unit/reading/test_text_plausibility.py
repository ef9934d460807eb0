"""Text whose letters form no words: shifted letters, but not names, code or figures."""

import pytest

from backend_main.reading.documents.text_plausibility import MAX_PAIR_COSTS, is_implausible, pair_cost

TEXTS = {
    "English": "This letter is a long enough piece of text to be taken from the page as it stands",
    "German": "Der Rechnungsbetrag ist innerhalb von zehn Tagen ohne Abzug zahlbar",
    "Polish": "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw",
    "Czech": "Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv",
    "Finnish": "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan",
    "Turkish": "Bütün insanlar hür haysiyet ve haklar bakımından eşit doğarlar",
    "Vietnamese": "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền lợi",
    "Russian": "Все люди рождаются свободными и равными в своем достоинстве и правах",
    "Bulgarian": "Всички хора се раждат свободни и равни по достойнство и права",
    "Greek": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια",
    "Hebrew": "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם",
    "Arabic": "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق وقد وهبوا عقلا",
    "Persian": "تمام افراد بشر آزاد به دنیا می‌آیند و از لحاظ حیثیت و حقوق با هم برابرند",
    "Japanese": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗い所で",
    "Chinese": "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。",
    "Korean": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다",
}
NOT_PROSE = (
    "BC547B 2N3904 LM317T 74HC595 ATmega328P XC6206P332MR SN74LVC1G14DBVR",
    "12.50 1,234.56 99.99 3 4 5 0.001 1e-9 2024-03-05 17:45:12",
    "for index in range(len(values)): total += values[index] * weights[index]; return total / sum(weights)",
    "https://example.com/xkcd/qwrtz https://example.org/~kjhg/zxcv.html",
    "acetylsalicylic methylprednisolone hydrochlorothiazide sulfamethoxazole",
    "Krzysztof Szczepański Zbigniew Brzęczyszczykiewicz Hjálmarsson Llywelyn Dvořák",
    "qty pcs",
)


@pytest.mark.parametrize("language", TEXTS)
def test_is_implausible_with_text_of_a_language_is_false(language: str) -> None:
    assert not is_implausible(TEXTS[language].split())


@pytest.mark.parametrize("text", NOT_PROSE)
def test_is_implausible_with_names_code_or_figures_is_false(text: str) -> None:
    assert not is_implausible(text.split())


def shifted(text: str, distance: int) -> str:
    return "".join(chr(ord(letter) + distance) if letter.isalpha() else letter for letter in text)


@pytest.mark.parametrize("distance", [1, 2, 3, -29])
@pytest.mark.parametrize("language", ["English", "German", "Finnish", "Turkish"])
def test_is_implausible_with_shifted_letters_is_true(language: str, distance: int) -> None:
    text = shifted(TEXTS[language] if distance > 0 else TEXTS[language].lower(), distance)
    assert is_implausible(text.split())


@pytest.mark.parametrize("language", ["Russian", "Greek", "Hebrew", "Arabic"])
def test_is_implausible_with_shifted_letters_of_other_scripts_is_true(language: str) -> None:
    assert is_implausible(shifted(TEXTS[language].lower(), 2).split())


def test_is_implausible_with_cyrillic_mapped_to_latin_is_true() -> None:
    mapped = TEXTS["Russian"].encode("cp1251").decode("latin-1")
    assert is_implausible(mapped.split())


def test_is_implausible_with_random_han_and_hangul_is_true() -> None:
    han = "".join(chr(0x4E00 + 677 * index % 20_000) for index in range(40))
    hangul = "".join(chr(0xAC00 + 677 * index % 11_172) for index in range(40))
    assert is_implausible([han])
    assert is_implausible([hangul])


def test_is_implausible_with_few_han_of_no_common_standard_is_true() -> None:
    assert is_implausible(["嘆囈貭鍔嘆囈貭鍔"])
    assert not is_implausible(["中國文件中國文件"])
    assert not is_implausible(["東京都千代田区丸の内"])


def test_pair_cost_of_every_script_has_a_square_table() -> None:
    for script in MAX_PAIR_COSTS:
        assert pair_cost("", script) == (0.0, 0)


def test_is_implausible_with_one_cyrillic_word_that_was_mapped_to_latin_is_true() -> None:
    assert is_implausible(["Оглавление".encode("cp1251").decode("latin-1")])
    assert not is_implausible(["À", "été", "où", "ÄÖÜ"])
