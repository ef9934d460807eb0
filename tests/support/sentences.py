"""Sentences for drawn documents, in several languages and scripts."""

from __future__ import annotations

from random import Random

SUBJECTS = [
    "The northern harbour",
    "Our laboratory",
    "A committee of twelve members",
    "Every second winter",
    "The old survey of 1987",
    "Professor Tavares",
    "The Wave Theatre",
    "Most of the village",
    "The first edition",
    "A flock of 340 geese",
    "Mrs. O’Neill",
    "The sample from Ystad",
    "The fifth chapter",
    "No official report",
    "The river Avon",
    "Each of the nine offices",
    "The affluent traffic officer",
    "A fluffy waffle stand",
    "Van Twyck & Sons",
    "The AVATAR project",
    "Yves Tournier",
]
VERBS = [
    "has described",
    "will probably replace",
    "could not find",
    "measured",
    "sold",
    "keeps",
    "was said to have ruined",
    "rarely offers",
    "must first verify",
    "finally identified",
    "took away",
    "compared",
    "re-examined",
    "is still waiting for",
    "had simplified",
]
OBJECTS = [
    "the difference between both methods",
    "a quarter of the yearly income",
    "its own archive",
    "twenty-five wooden boats",
    "the effects of salt water on iron",
    "a copy of the treaty",
    "1,250 square metres of forest",
    "the so-called “Tower Law”",
    "an efficient final draft",
    "several hundred letters",
    "the office files",
    "a well-known map of the coast",
    "the average weight of Type A vessels",
    "fewer than 3.5 % of all cases",
    "the lamp of the lighthouse",
    "a first-class ticket",
    "the whole question",
]
ENDS = [
    "in the spring of 2019",
    "without any further delay",
    "after the meeting on 14 May",
    "because of the weather",
    "although nobody had asked for it",
    "at a cost of $ 4,737.50",
    "for the first time since the flood",
    "under the terms of Section 7(b)",
    "on behalf of the Ministry",
    "with remarkable care",
    "(see also page 12)",
    "near the mouth of the river",
    ", which surprised even the experts",
    "; the reason is unknown",
    "as Table 3 shows",
]
TITLES = [
    "Findings of the Survey",
    "Why Boats Float",
    "Terms of Payment",
    "Notes on Method",
    "The Yearly Audit",
    "Effects and Affinities",
    "Two Types of Vessel",
    "A Short History of Ystad",
    "Results",
    "Traffic and Weather",
    "Further Work",
    "Offices Abroad",
    "Tools",
    "Water Levels Today",
    "Conditions of Sale",
    "Voyage to the Avon",
    "Personal Data",
    "Summary",
]
WORDS = [
    "rope",
    "iron",
    "office",
    "flour",
    "wage",
    "tide",
    "Avon",
    "yield",
    "toner",
    "waffle",
    "letter",
    "archive",
    "lamp",
    "boat",
    "vessel",
    "paper",
    "timber",
    "salt",
    "copper",
    "engine",
    "canvas",
    "anchor",
    "barley",
    "ledger",
    "winter",
    "quay",
    "freight",
    "map",
    "wool",
    "coal",
    "lantern",
]

OTHER = {
    "de": (
        "Die Größe der Öfen überraschte sogar die ältesten Gießer."
        "|Im Frühjahr 2019 prüfte der Ausschuss zwölf Anträge."
        "|Fünf Schiffe liegen außerhalb des Hafens."
        "|Das Donaudampfschifffahrtsgesellschaftsarchiv ist montags geschlossen."
        "|Niemand weiß, weshalb die Auflage von 1.250 Stück verschwand."
        "|Häufig genügt ein Brief, meist aber nicht."
    ),
    "fr": (
        "L’été dernier, le théâtre a vendu 3 400 billets."
        "|Où sont passés les œufs de l’élève ?"
        "|Ça ne coûte que 12,50 €."
        "|La façade naïve du musée a été repeinte en août."
        "|Nous avons vérifié l’efficacité de la méthode à Nîmes."
    ),
    "pl": (
        "Zażółć gęślą jaźń, mówi stary kapitan."
        "|Książki z 1987 roku leżą w piwnicy."
        "|Święty Łukasz często pływał łodzią."
    ),
    "tr": ("Iğdır’da kış uzun sürer.|Şu çocuk büyük bir gemi gördü.|İstanbul’un ışıkları gece yarısı söner."),
    "vi": (
        "Tiếng Việt có nhiều dấu thanh.|Ông ấy đã mua hai mươi cuốn sách cũ ở Huế.|Nước biển ở đây rất mặn."
    ),
    "ru": (
        "Северная гавань зимой замерзает."
        "|Комиссия проверила двенадцать заявок за 2019 год."
        "|Никто не знает, куда исчез тираж."
        "|Пять судов стоят у причала, ещё два ушли в море."
        "|Съезд объявил перерыв на час."
    ),
    "el": (
        "Το λιμάνι παγώνει σπάνια τον χειμώνα."
        "|Η επιτροπή εξέτασε δώδεκα αιτήσεις το 2019."
        "|Κανείς δεν ξέρει γιατί χάθηκε το βιβλίο."
    ),
    "ar": (
        "يفتح الميناء الشمالي أبوابه في الشتاء."
        "|فحصت اللجنة اثني عشر طلبا في عام 2019."
        "|لا أحد يعرف لماذا اختفت الطبعة الأولى."
        "|تقع المكتبة قرب النهر، وفيها 340 كتابا قديما."
        "|كتب المهندس برنامجا بلغة Python ثم أرسله."
    ),
    "fa": (
        "بندر شمالی در زمستان بسته است."
        "|کتابخانه کنار رودخانه است و ۳۴۰ کتاب دارد."
        "|هنوز پاسخ نامه دوم نرسیده است."
        "|گزارش پنجم پیش از بهار آماده شد."
    ),
    "he": (
        "הנמל הצפוני קופא לפעמים בחורף."
        "|הוועדה בדקה שנים עשר מסמכים בשנת 2019."
        "|איש אינו יודע לאן נעלם הספר הראשון."
        "|הספרייה נמצאת ליד הנהר, ויש בה 340 ספרים."
        "|המהנדס כתב תוכנית בשפת Python ושלח אותה."
    ),
    "zh": (
        "北方的港口在冬天很少结冰。"
        "|委员会在2019年审查了十二份申请。"
        "|没有人知道第一版为什么不见了。"
        "|图书馆在河边，有340本旧书。"
    ),
    "ja": (
        "北の港は冬でもめったに凍らない。"
        "|委員会は2019年に十二件の申請を調べた。"
        "|初版がどこへ消えたのか誰も知らない。"
        "|図書館は川のそばにあり、古い本が三百冊ある。"
    ),
    "ko": (
        "북쪽 항구는 겨울에도 거의 얼지 않는다."
        "|위원회는 2019년에 신청서 열두 건을 검토했다."
        "|도서관은 강가에 있고 오래된 책이 많다."
    ),
}
RIGHT_TO_LEFT = ("ar", "fa", "he")


def sentence(random: Random, language: str = "en") -> str:
    if language != "en":
        return random.choice(OTHER[language].split("|"))
    parts = [random.choice(SUBJECTS), random.choice(VERBS), random.choice(OBJECTS)]
    if random.random() < 0.7:
        parts.append(random.choice(ENDS))
    return " ".join(parts).replace(" ,", ",").replace(" ;", ";") + "."


def paragraph(random: Random, sentences: int = 4, language: str = "en") -> str:
    space = "" if language in ("zh", "ja") else " "
    return space.join(sentence(random, language) for _ in range(sentences))


def title(random: Random, language: str = "en") -> str:
    if language == "en":
        return random.choice(TITLES)
    return sentence(random, language).rstrip(".。")


def word(random: Random) -> str:
    return random.choice(WORDS)


def amount(random: Random) -> str:
    """Return a sum such as `1,234.56`, `(98.20)` or `17`."""
    value = random.choice((random.randint(1, 99), random.uniform(1, 99_999)))
    text = f"{value:,.2f}" if isinstance(value, float) else str(value)
    return f"({text})" if random.random() < 0.1 else text
