"""Everything that can go wrong on our side, as one small tree.

Each error carries a message that says what happened and, where there is one, a hint that says what to do
next. The command line prints both, without a traceback.
"""


class IntentstreamError(Exception):
    """The root: catch this to catch everything Intentstream raises on purpose.

    Args:
        message: What happened, in one line.
        hint: What to do next, in one line; empty where nothing sensible can be said.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.hint}" if self.hint else self.message


class SettingsError(IntentstreamError):
    """A setting is missing, malformed or contradicts another."""


class PreflightError(IntentstreamError):
    """This machine lacks something that the embedded stack needs."""


class InstallError(IntentstreamError):
    """A pinned package could not be fetched, or was not what its hash promised."""


class ServerError(IntentstreamError):
    """A server or worker process of the embedded stack did not start, or ended by itself.

    Args:
        message: What happened, in one line.
        hint: What to do next.
        log_tail: The last lines of its log.
    """

    def __init__(self, message: str, hint: str = "", log_tail: str = "") -> None:
        super().__init__(message, hint)
        self.log_tail = log_tail

    def __str__(self) -> str:
        if not self.log_tail:
            return super().__str__()
        tail = "\n".join(f"  │ {line}" for line in self.log_tail.splitlines())
        rest = f"\n  → {self.hint}" if self.hint else ""
        return f"{self.message}\n{tail}{rest}"


class UnreachableError(IntentstreamError):
    """Kafka, Triton or Redis at a given address cannot be reached, or refuses us."""


class ContractError(IntentstreamError):
    """A topic, a model or stored data is not what this version expects."""
