"""Facts -> grade -> plan. Pure: every result is computed as of a date from what was known then.

Facts, a policy and a date enter; grades with contributions, sampling plans and back-tests leave.
"""
