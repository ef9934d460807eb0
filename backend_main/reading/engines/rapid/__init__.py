"""The default engine: PP-OCRv6 for detection and recognition, streamed line by line.

engine.py       the engine
detector.py     page → boxes of lines
line_cores.py   lines that the detector would join and drop
scaled_page.py  a page at the sizes for detection and recognition
first_lines.py  boxes that are safe to read before the whole page is detected
orientation.py  pages that are rotated by quarter turns
curl.py         pages whose lines are curves
bleed_through.py  print on the back of the paper that shines through
recognizer.py   box → text
parallel.py     recognition on several threads, in order
model_files.py  paths of the models
"""
