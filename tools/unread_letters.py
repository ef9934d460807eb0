"""Measurement of the letters that the models of `rapid` do not read although they have a class for them.

    .venv/bin/python tools/unread_letters.py

It draws sentences in three fonts, and prints each letter beyond ASCII with the number of times it was lost.
`backend_main/reading/engines/rapid/letters.py` has the letters that are lost in half of the cases or more.
"""

import sys
from collections import Counter
from difflib import SequenceMatcher
from pathlib import Path

FONTS = ("noto/NotoSans-Regular.ttf", "noto/NotoSerif-Regular.ttf", "dejavu/DejaVuSerif.ttf")
FONT_FOLDER = Path("/usr/share/fonts/truetype")
FONT_SIZE, LINE_HEIGHT, WORDS_PER_LINE = 32, 50, 5
SENTENCES = {
    "az": ("Zəfər, jaketini də papağını da götür, bu axşam hava çox soyuq olacaq. Əli, Şəki, İlham, ığıdır"),
    "ca": "Jove xef, porti whisky amb quinze glaçons d’hidrogen, coi! col·lega, Núria, qüestió, raïm",
    "cs": (
        "Žluťoučký kůň úpěl ďábelské ódy, ať teď děti jedí chuť a pouť; síť, loď, oběť, smrt a Ďas Ťuk Ňouma"
    ),
    "cy": "Mae'r dŵr yn tŷ, gŵr, hŷn, ŵyn, sgŵâr, cŵn",
    "de": "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. „Öl“, Maß, Übel",
    "eo": "Eĥoŝanĝo ĉiuĵaŭde. Ĝis, ĉu, ŝi, aŭto, ĵurnalo, ĥoro",
    "es": "El pingüino Wenceslao hizo kilómetros bajo exhaustiva lluvia y frío, añoraba. ¿Qué? ¡Sí!",
    "et": "Põdur Zagrebi tšellomängija-följetonist Ciqo külmetas kehvas garaažis. Õun, Žanna, Šokolaad",
    "eu": "Vinoa, piña, Añana",
    "fr": "Dès Noël où un zéphyr haï me vêt de glaçons. Œuvre, cœur, L’Haÿ, naïf, Çà, été, ÎLE, MAÏS",
    "hr": "Gojazni đačić s biciklom drži hmelj. Đuro, Šćepan, Čačak, žvaka",
    "hu": "Árvíztűrő tükörfúrógép. Őrült nő, Űrhajó, hűtő, ŐSZ, kőműves, tűz, fő, bőr",
    "is": (
        "Kæmi ný öxi hér, ykist þjófum nú bæði víl og ádrepa. Það þýðir að þú ert þarna, Þór, "
        "Þingvellir og Ísland"
    ),
    "lt": (
        "Įlinkdama fechtuotojo špaga sublykčiojusi pragręžė apvalų arbūzą. Dėl to mėnesį gėlė "
        "žydėjo, ūkis, ąžuolas, šįmet, Šiaulių"
    ),
    "lv": (
        "Glāžšķūņa rūķīši dzērumā čiepj Baha koncertflīģeļu vākus. Ģimene, ķirsis, ļoti, ņemt, "
        "kuģis, ēģiptietis, zeme"
    ),
    "mi": "Kia ora, tēnā koe, Māori, whānau, kōrero, tūpuna, āe, mīharo, Ōtautahi",
    "mt": "Ġimgħa, ħobż, żmien, għandu, ċavetta, Ħamrun, Ċirkewwa, Għawdex, qalb, jiġifieri",
    "no": "Vår sære Zulu fra badeøya spilte jo whist og quickstep i min taxi. ÆØÅ Ærlig, Øl",
    "pl": (
        "Pchnąć w tę łódź jeża lub ośm skrzyń fig. Źródło, Łódź, Żaba, święto, Ściana, ŻÓŁW, ŹLE, "
        "ĄĘ, dąb, więź"
    ),
    "ro": (
        "Gheorghe, obezul, a reușit să obțină jucându-se un flux în Quebec de o mie kilowațioră. "
        "Țară, Știință, însă"
    ),
    "sk": (
        "Kŕdeľ šťastných ďatľov učí pri ústí Váhu mĺkveho koňa obhrýzať kôru a žrať čerstvé mäso. "
        "Teľa, stĺp, vŕba, ľúbiť, päť"
    ),
    "sq": "Unë mund të ha qelq dhe nuk më gjen gjë. Çdo, është",
    "tr": (
        "Pijamalı hasta yağız şoföre çabucak güvendi. İstanbul, Iğdır, ışık, kırmızı, İzmir, DEĞİL, "
        "çalışma, ağır"
    ),
    "signs": "die ‚Halle‘ war ‹leer› hier. № 12 und 99 ₽ oder 50,00 ₺ und 70 ₩ laut note‡ dazu ¼ cup, ¾ cup",
}


def main() -> None:
    """Print the lost letters of each profile and language."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from backend_main.reading import Options, load_engine

    engine = load_engine("rapid", 1)
    for profile in engine.profiles:
        engine.configure(Options(profile=profile))
        for code, sentence in SENTENCES.items():
            print(profile, code, lost_letters(engine, sentence))


def lost_letters(engine, sentence: str) -> dict[str, str]:
    """Return the lost letters of a sentence: “18/18” is 18 times of 18."""
    lost: Counter[str] = Counter()
    drawn: Counter[str] = Counter()
    words = sentence.split()
    for font in FONTS:
        for start in range(0, len(words), WORDS_PER_LINE):
            text = " ".join(words[start : start + WORDS_PER_LINE])
            matches = SequenceMatcher(None, text, read(engine, text, font), autojunk=False)
            found = {n for a, _, size in matches.get_matching_blocks() for n in range(a, a + size)}
            for number, letter in enumerate(text):
                if not letter.isascii():
                    drawn[letter] += 1
                    lost[letter] += number not in found
    return {letter: f"{count}/{drawn[letter]}" for letter, count in lost.items() if count}


def read(engine, text: str, font: str) -> str:
    """Return a drawn line as the recognizer reads it."""
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    face = ImageFont.truetype(str(FONT_FOLDER / font), FONT_SIZE)
    width = int(face.getlength(text)) + 16
    image = Image.new("RGB", (width, LINE_HEIGHT), "white")
    ImageDraw.Draw(image).text((8, 2), text, fill="black", font=face)
    corners = np.array([[0, 0], [width, 0], [width, LINE_HEIGHT], [0, LINE_HEIGHT]], np.float32)
    pixels = np.asarray(image)[:, :, ::-1].copy()
    return engine._models._recognizer.read(pixels, corners)[0]


if __name__ == "__main__":
    main()
