"""Tests of exports, on hand-made pages."""
