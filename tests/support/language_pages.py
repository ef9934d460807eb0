"""Drawn pages in twelve languages, with the marks, amounts and letters of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from PIL import Image, ImageDraw

from .fonts import find_font

POINTS, MARGIN_POINTS, WIDTH_POINTS, LEADING = 10, 36, 420, 1.5
LATIN = ("NotoSans-Regular.ttf", "NotoSerif-Regular.ttf")
# Code: fonts, text. A hyphen before `|` ends a line within a word.
TEXTS: dict[str, tuple[tuple[str, ...], str]] = {
    "de": (
        LATIN,
        "Im Frühjahr prüfte der Ausschuß zwölf Anträge über insgesamt 1.234,56 EUR. „Das genügt "
        "nicht“, sagte die Größe der Öfen betreffend der Gießer; 0,1 ‰ und 19 % Steuer kämen hinzu. "
        "Der Auflagen-|bericht (§ 12 Abs. 3) nennt 25 °C, 45 m² und ½ Liter – außerdem fünf Straßen, "
        "drei Flöße & ein Öl-|faß.",
    ),
    "fr": (
        LATIN,
        "L’été dernier, le théâtre a vendu 3 400 billets à 12,50 €. « Où sont passés les œufs de "
        "l’élève ? » demanda la façade naïve du musée, repeinte en août ; ça coûte 1 234,56 €, soit "
        "0,1 ‰ du budget de Noël. L’efficacité de la méthode a été véri-|fiée à Nîmes (n° 5), où "
        "l’île est très loin.",
    ),
    "es": (
        LATIN,
        "¡Atención! ¿Qué pasa aquí? El niño pidió 1.234,56 € por la 3ª vez en el 2º piso. ¡Gracias "
        "por su visita! La señora García añadió que el pingüino come piñas; «no está mal», dijo, con "
        "un 21 % de IVA y 0,1 ‰ de error. ¿Cuándo llegará el año nuevo a la ciu-|dad de Logroño?",
    ),
    "pl": (
        LATIN,
        "Zażółć gęślą jaźń, mówi stary kapitan: „Książki z 1987 roku leżą w piwnicy”. Święty Łukasz "
        "często pływał łodzią za 1 234,56 zł, czyli 0,1 ‰ majątku. Źródło, ćma i żółw są w ogrodzie; "
        "koszt wynosi 23 % więcej. Następnie podróż-|nik odpłynął do Gdańska.",
    ),
    "cs": (
        LATIN,
        "Příliš žluťoučký kůň úpěl ďábelské ódy. „Teď děti jedí chuť,“ řekla paní Nováková, „a síť je"
        " plná.“ Cena je 1 234,56 Kč, tedy o 21 % více; odchylka 0,1 ‰. Loď veze oběť na pouť do "
        "města Plzeň, kde čeká učitel-|ka s květinou.",
    ),
    "tr": (
        LATIN,
        "Iğdır’da kış uzun sürer. Şu çocuk büyük bir gemi gördü ve 1.234,56 TL ödedi. İstanbul’un "
        "ışıkları gece yarısı söner; “çalışma” %18 daha ağır oldu. Öğretmen, ağaçların altında güneşi"
        " bekleyen öğrenci-|lere kırmızı defterleri dağıttı.",
    ),
    "vi": (
        LATIN,
        "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền. Ông ấy đã mua "
        "hai mươi cuốn sách cũ ở Huế với giá 1.234.560 đồng (10 %). Tiếng Việt có nhiều dấu thanh; "
        "nước biển ở đây rất mặn. “Xin chào”, bà nói, “hẹn gặp lại”.",
    ),
    "ru": (
        LATIN,
        "Северная гавань зимой замерзает. Комиссия проверила двенадцать заявок на 1 234,56 руб. "
        "«Никто не знает, куда исчез тираж», — сказал капитан; погрешность 0,1 %. Пять судов стоят у "
        "причала № 7, ещё два ушли в море. Съезд объявил пере-|рыв на час.",
    ),
    "el": (
        LATIN,
        "Το λιμάνι παγώνει σπάνια τον χειμώνα. Η επιτροπή εξέτασε δώδεκα αιτήσεις για 1.234,56 €. "
        "«Κανείς δεν ξέρει γιατί χάθηκε το βιβλίο», είπε ο Γιώργος· πού είναι; Το 0,1 % των πλοίων "
        "έφυγε για τη θάλασσα, και ο ήλιος έλαμπε.",
    ),
    "ko": (
        ("NanumGothic.ttf", "NanumMyeongjo.ttf"),
        "북쪽 항구는 겨울에도 거의 얼지 않는다. 위원회는 2019년에 신청서 열두 건을 "
        "검토했다. 도서관은 강가에 있고 오래된 책이 많다. 가격은 1,234원이며 10% "
        "할인된다. 모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
    ),
    "ar": (
        ("NotoSansArabic-Regular.ttf", "NotoNaskhArabic-Regular.ttf"),
        "يفتح الميناء الشمالي أبوابه في الشتاء. فحصت اللجنة اثني عشر طلبا في عام 2019. لا أحد يعرف "
        "لماذا اختفت الطبعة الأولى، وتقع المكتبة قرب النهر. يولد جميع الناس أحرارا متساوين في الكرامة"
        " والحقوق.",
    ),
    "he": (
        ("NotoSansHebrew-Regular.ttf",),
        "הנמל הצפוני קופא לפעמים בחורף. הוועדה בדקה שנים עשר מסמכים בשנת 2019. איש אינו יודע לאן נעלם"
        " הספר הראשון, והספרייה נמצאת ליד הנהר. כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם.",
    ),
}
RIGHT_TO_LEFT = frozenset({"ar", "he"})


class LanguagePage(NamedTuple):
    """A drawn page and the lines on it."""

    image: Image.Image
    lines: list[str]


def draw_page(code: str, dpi: int, font_number: int = 0) -> LanguagePage | None:
    """Draw the text of a language at a resolution; None if its font is not installed."""
    names, text = TEXTS[code]
    font = find_font(names[font_number % len(names)], round(POINTS * dpi / 72))
    if font is None:
        return None
    scale = dpi / 72
    lines = wrapped(text, lambda line: font.getlength(line) <= WIDTH_POINTS * scale)
    margin, step = MARGIN_POINTS * scale, POINTS * LEADING * scale
    size = (round(WIDTH_POINTS * scale + 2 * margin), round(len(lines) * step + 2 * margin))
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        is_from_right = code in RIGHT_TO_LEFT
        left = size[0] - margin - font.getlength(line) if is_from_right else margin
        draw.text((left, margin + number * step), line, fill="black", font=font)
    return LanguagePage(image, lines)


def wrapped(text: str, fits: Callable[[str], bool]) -> list[str]:
    """Return the lines of a text. A word that may be hyphenated is, so that its parts end and start lines."""
    lines = [""]
    for word in text.split():
        before, bar, after = word.partition("|")
        longer = f"{lines[-1]} {before}".strip()
        lines = [*lines[:-1], longer] if fits(longer) else [*lines, before]
        if bar:
            lines.append(after)
    return lines
