"""The project's own training texts, for what no public data set with a licence teaches.

Service requests with order numbers, dates and the redactor's placeholders; searches for one product
or several, whose attributes are known; feelings in words. All templates and word lists are ours;
product words may be widened with the annotated spans of a training set.
"""

from training.data.generator.compose import CALIBRATION_SEED, VALIDATION_SEED, compose

__all__ = ["CALIBRATION_SEED", "VALIDATION_SEED", "compose"]
