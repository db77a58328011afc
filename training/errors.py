"""What can be wrong before or while a model is trained: each message says what to do next."""


class TrainingError(Exception):
    """The one root of this package's errors.

    Attributes:
        message: what is wrong.
        hint: what to do about it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} ({hint})" if hint else message)
        self.message = message
        self.hint = hint


class MissingExtraError(TrainingError):
    """A package of the training extra is not installed."""


class ConfigError(TrainingError):
    """A training configuration has an unknown name or a value out of its range."""


class DivergedError(TrainingError):
    """The loss is no number any more: what is trained from there on is lost."""


class DataError(TrainingError):
    """A data file is missing, malformed, or carries a label that is not in the schema."""


class LeakError(DataError):
    """An evaluation text is also a training text."""
