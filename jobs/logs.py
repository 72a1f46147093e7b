"""How log lines are written: one JSON object a line on standard error, tracebacks without the values of variables."""

import logging
import sys

import structlog


def configure(level: int = logging.INFO) -> None:
    """Set the form of log lines; an entry point calls this once.

    The library's own default prints each variable of a failing call, and with them session tokens, passwords and
    texts; and it prints to standard output, where commands write their answers.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Looked up at each line: whoever redirects standard error for a while gets its lines, and only then.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
