"""Engine for vision-language models behind an OpenAI-compatible API.

engine.py         the engine: limits, retries, warnings
openai_client.py  request and streamed response over HTTP
config.py         endpoint, model and limits, from environment variables
profiles.py       prompt, image size and response format of each model family
response.py       response of a model → safe Markdown
doctags.py        DocTags → Markdown
html_tables.py    HTML tables → pipe tables
repetition.py     detection of a model that repeats itself
"""
