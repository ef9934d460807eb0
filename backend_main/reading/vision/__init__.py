"""Step 10 - pages read by a vision-language model behind an OpenAI-compatible endpoint.

setup.py      where the endpoint is, and how long it may take
profiles.py   what each family of models is asked, and how its answer becomes Markdown
chat.py       one question and the pieces of its answer, over HTTP
loops.py      a model that repeats itself is noticed
answers.py    pieces of an answer → what is shown of it at once, and the page's Markdown
doctags.py    granite-docling's DocTags → Markdown;  tables.py  HTML tables → pipe tables
"""
