"""What runs, and when. The only place where the pure middle meets the store.

A session and a date enter; rows and a run with its counts leave.
"""
