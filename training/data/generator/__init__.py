"""The project's own training texts, for what no public data set with a licence teaches.

Service requests with order numbers, dates and the redactor's placeholders; queries with several
products whose attributes are known; feelings in words. All templates and word lists are ours;
product words may be widened with the annotated spans of a training set.
"""

from training.data.generator.compose import compose

__all__ = ["compose"]
