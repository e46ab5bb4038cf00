"""The catalog of what is available, as data: engines, presets, environments, people.

The spelling is deliberate, since a package on PyPI, which spaCy imports, is named `catalogue`.
"""
