"""The one spider that walks every platform, its guards, and the child process it runs in.

A crawl's orders enter on standard input; one JSON line for each page fetched leaves on standard output.
"""
