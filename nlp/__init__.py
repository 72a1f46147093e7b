"""Text -> tags and enterprises. Pure: same input, same output; no clock, no database, no network.

Texts and names enter; normalised text, tags with evidence, and resolutions with reasons leave.
"""
