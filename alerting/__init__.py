"""Change -> message: rules decide, rows record, channels deliver.

Grades and signals enter; alert rows, deliveries and escalations leave.
"""
