"""Logs of a process, as JSON lines. Knows nothing of what is logged."""

import logging
import sys
from typing import Any

import structlog

from streams.repeated import SaidOnce


def configure_logging() -> None:
    """Logs as JSON lines on standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # Without local variables: they can hold what a file says of a patient.
                structlog.processors.ExceptionRenderer(
                    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
                ),
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    handler.addFilter(SaidOnce())
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("faust", "mode", "aiokafka", "aiohttp", "httpx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # Libraries that read images may quote what they read; of retries, a stage tells when they begin and when they end.
    for silent in ("pydicom", "tifffile", "PIL", "stamina"):
        logging.getLogger(silent).setLevel(logging.CRITICAL + 1)
