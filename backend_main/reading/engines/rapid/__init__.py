"""The default engine: PP-OCRv6 for detection and recognition, streamed line by line.

engine.py         the engine
models.py         the two networks of a profile, loaded
scaled_page.py    a page at the sizes for detection and recognition
detector.py       page → boxes of lines
line_cores.py     lines that the detector would join and drop
tiles.py          detection of a page of extreme shape or print size, in tiles
print_size.py     print that is small or large
second_look.py    second detection of a page with little text
ink_areas.py      areas with ink that no line covers, for the second detection
equalized_page.py    a page with locally equalized contrast, for pale words
repeated_lines.py    lines that are found twice
mirrored_page.py  pages whose print is mirrored
first_lines.py    boxes that are safe to read before the whole page is detected
orientation.py    pages that are rotated by quarter turns
turned_words.py   words turned by a quarter on an upright page
curl.py           pages whose lines are curves
bleed_through.py  print on the back of the paper that shines through
overprint.py      colored print across dark text
recognizer.py     box → text
unread_signs.py   signs that the network does not read, by their shape
sign_shapes.py    fractions, ‹ › ₩ ₽ by their shape
line_ink.py       connected ink of the image of a line
unread_words.py   words that may be in another script, by their ink and letters
unsure_words.py   English words that the network finds nearly as likely as what it prefers
letters.py        letters and languages of each profile
parallel.py       recognition on several threads, in order
model_files.py    paths of the models
"""
