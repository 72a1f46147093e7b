"""The ledger's pure rules: which step comes next, and which statutory deadline runs.

A case's steps and a calendar enter; the next step and its due date leave.
"""
