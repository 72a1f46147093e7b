"""What is remembered: tables, the session, the reads and the migrations.

Rows enter from `ingest`, `jobs`, `alerting`, `casework` and `api`; typed rows and read results leave.
Only `store.dialect` knows which database is underneath.
"""
