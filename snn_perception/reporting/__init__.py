"""Draws and writes what `evaluation` measured: pictures, tables and a page."""
