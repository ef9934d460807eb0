"""Wiring of the server: the ASGI application, Django's settings and routes, uvicorn and Celery.

The modules connect parts of `core` and have no logic of their own. They may import everything except `cli`.
"""
