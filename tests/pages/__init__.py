"""Miniature pages in the structure of the real sites, written for the tests, and what reading each must give."""
