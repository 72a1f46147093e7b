"""Outside -> signals: importers for files, spiders for sites, one pipeline that stores each item once.

Files and pages enter; signals with their typed record and the names they mention leave.
"""
