"""The options that every command has."""

from enum import StrEnum

import attrs

__all__ = ["LogFormat", "LogLevel", "Settings"]


class LogLevel(StrEnum):
    """From which level on the log is shown."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class LogFormat(StrEnum):
    """How the log is written: for people, or one JSON object on each line."""

    TEXT = "text"
    JSON = "json"


@attrs.frozen(kw_only=True)
class Settings:
    """What was asked for before or after the command's name."""

    json: bool = False
    debug: bool = False
    #: None: the command's own choice
    log_level: LogLevel | None = None
    log_format: LogFormat = LogFormat.TEXT

    def refined(
        self, *, json: bool, debug: bool, log_level: LogLevel | None, log_format: LogFormat | None
    ) -> "Settings":
        """These, and what was asked for after the command's name: the later word counts."""
        return Settings(
            json=self.json or json,
            debug=self.debug or debug,
            log_level=self.log_level if log_level is None else log_level,
            log_format=self.log_format if log_format is None else log_format,
        )
