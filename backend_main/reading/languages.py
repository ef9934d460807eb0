"""Languages: ISO 639-1 codes, English names, scripts, and the names of Tesseract's language packs."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

CJK = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
"""A Chinese or Japanese character."""
RIGHT_TO_LEFT = frozenset({"R", "AL"})
"""Bidirectional classes of letters that run from right to left."""


class Language(NamedTuple):
    """A language; `packs` are Tesseract's names for it (ISO 639-2/T, some with a script), default first."""

    code: str
    name: str
    script: str
    packs: tuple[str, ...]


# Code, name, script and packs. Scripts have the names that Tesseract's script detection uses.
_TABLE = """
af Afrikaans Latin afr|am Amharic Ethiopic amh|ar Arabic Arabic ara|as Assamese Bengali asm
az Azerbaijani Latin aze|be Belarusian Cyrillic bel|bg Bulgarian Cyrillic bul|bn Bengali Bengali ben
bo Tibetan Tibetan bod|bs Bosnian Latin bos|br Breton Latin bre|ca Catalan Latin cat|cs Czech Latin ces
cy Welsh Latin cym|da Danish Latin dan|de German Latin deu,frk,deu_latf|dv Divehi Thaana div
dz Dzongkha Tibetan dzo|el Greek Greek ell,grc|en English Latin eng,enm|eo Esperanto Latin epo
es Spanish Latin spa,spa_old|et Estonian Latin est|eu Basque Latin eus|fa Persian Arabic fas
fi Finnish Latin fin|fo Faroese Latin fao|fr French Latin fra,frm|fy Frisian Latin fry|ga Irish Latin gle
gd Gaelic Latin gla|gl Galician Latin glg|gu Gujarati Gujarati guj|he Hebrew Hebrew heb
hi Hindi Devanagari hin|hr Croatian Latin hrv|ht Haitian Latin hat|hu Hungarian Latin hun
hy Armenian Armenian hye|id Indonesian Latin ind|is Icelandic Latin isl|it Italian Latin ita,ita_old
iu Inuktitut Canadian_Aboriginal iku|ja Japanese Japanese jpn,jpn_vert|jv Javanese Latin jav
ka Georgian Georgian kat,kat_old|kk Kazakh Cyrillic kaz|km Khmer Khmer khm|kn Kannada Kannada kan
ko Korean Korean kor,kor_vert|ku Kurdish Latin kmr,kur|ky Kyrgyz Cyrillic kir|la Latin Latin lat
lb Luxembourgish Latin ltz|lo Lao Lao lao|lt Lithuanian Latin lit|lv Latvian Latin lav|mi Maori Latin mri
mk Macedonian Cyrillic mkd|ml Malayalam Malayalam mal|mn Mongolian Cyrillic mon|mr Marathi Devanagari mar
ms Malay Latin msa|mt Maltese Latin mlt|my Burmese Myanmar mya|ne Nepali Devanagari nep
nl Dutch Latin nld|no Norwegian Latin nor|oc Occitan Latin oci|or Oriya Oriya ori|pa Punjabi Gurmukhi pan
pl Polish Latin pol|ps Pashto Arabic pus|pt Portuguese Latin por|qu Quechua Latin que|ro Romanian Latin ron
ru Russian Cyrillic rus|sa Sanskrit Devanagari san|sd Sindhi Arabic snd|si Sinhala Sinhala sin
sk Slovak Latin slk|sl Slovenian Latin slv|sq Albanian Latin sqi|sr Serbian Cyrillic srp,srp_latn
su Sundanese Latin sun|sv Swedish Latin swe|sw Swahili Latin swa|ta Tamil Tamil tam|te Telugu Telugu tel
tg Tajik Cyrillic tgk|th Thai Thai tha|ti Tigrinya Ethiopic tir|tl Tagalog Latin tgl,fil|to Tongan Latin ton
tr Turkish Latin tur|tt Tatar Cyrillic tat|ug Uyghur Arabic uig|uk Ukrainian Cyrillic ukr|ur Urdu Arabic urd
uz Uzbek Latin uzb,uzb_cyrl|vi Vietnamese Latin vie|yi Yiddish Hebrew yid|yo Yoruba Latin yor
zh Chinese Han chi_sim,chi_tra,chi_sim_vert,chi_tra_vert
"""


_ROWS = [row.split() for row in _TABLE.strip().replace("\n", "|").split("|")]
LANGUAGES = {
    code: Language(code, name, script, tuple(packs.split(","))) for code, name, script, packs in _ROWS
}
"""Known languages by code."""
SCRIPTS = frozenset(language.script for language in LANGUAGES.values())
LOOK_ALIKE_SCRIPTS = frozenset({"Cyrillic", "Greek"})
"""Scripts whose letters a model takes for Latin ones, and the other way round."""
LINE_BY_LINE_SCRIPTS = frozenset({"Korean"})
"""Scripts of which Tesseract's layout analysis loses words at the edges of a page."""
MOST_SPOKEN = ("ru", "uk", "bg", "ar", "fa", "ur", "hi", "mr", "ne", "bn", "as", "he", "am", "el")
"""Languages in scripts that several share, those with the most speakers of each script first."""
_BY_PACK = {pack: language.code for language in LANGUAGES.values() for pack in language.packs}


def normalize_code(name: str) -> str:
    """Return the ISO 639-1 code of a language.

    Args:
        name: a code (`de`), a Tesseract pack (`deu`), or a code with a region (`pt-BR`). An unknown name is
            returned stripped, with underscores for hyphens.
    """
    stripped = name.strip().replace("-", "_")
    lower = stripped.lower()
    if lower in _BY_PACK:
        return _BY_PACK[lower]
    without_region = lower.split("_")[0]
    return next((code for code in (lower, without_region) if code in LANGUAGES), stripped)


def language_names(codes: Iterable[str]) -> str:
    """Return codes with names, sorted, for a message: “de (German), en (English)”."""
    return ", ".join(
        f"{code} ({LANGUAGES[code].name})" if code in LANGUAGES else code for code in sorted(codes)
    )


def languages_using_script(script: str, codes: Iterable[str]) -> list[str]:
    """Return the known codes whose languages are written in this script, sorted."""
    return sorted(code for code in codes if code in LANGUAGES and LANGUAGES[code].script == script)


def common_languages(script: str) -> list[str]:
    """Return the codes of the languages written in a script, those with the most speakers first."""
    codes = languages_using_script(script, LANGUAGES)
    common = [code for code in MOST_SPOKEN if code in codes]
    return [*common, *(code for code in codes if code not in common)]


def scripts_of(codes: Iterable[str]) -> frozenset[str]:
    """Return the scripts of the known codes."""
    return frozenset(LANGUAGES[code].script for code in codes if code in LANGUAGES)


def main_scripts(texts: Iterable[str]) -> frozenset[str]:
    """Return the script that most letters of the texts have. Han and Japanese share their letters."""
    letters = [letter for text in texts for letter in text if letter.isalpha()]
    counts = Counter(scripts_of_text([letter]) for letter in letters)
    return counts.most_common(1)[0][0] if counts else frozenset()


def scripts_of_text(texts: Iterable[str]) -> frozenset[str]:
    """Return those of `SCRIPTS` that have letters in the texts."""
    names = {
        unicodedata.name(letter, "").split(" ")[0] for text in texts for letter in text if letter.isalpha()
    }
    scripts = {name.capitalize() for name in names}
    if names & {"CJK", "HIRAGANA", "KATAKANA"}:
        scripts |= {"Han", "Japanese"}
    if "HANGUL" in names:
        scripts.add("Korean")
    return SCRIPTS & scripts


def has_right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(letter) in RIGHT_TO_LEFT for letter in text)
