"""The catalog of what is available, as data: engines, presets, environments, people.

Spelled like this since a package on PyPI, which spaCy imports, is named `catalogue`.
"""
