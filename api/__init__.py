"""What people see: pages, exports and the JSON API over the named reads.

Requests of signed-in accounts enter; pages, files and audit rows leave.
"""
