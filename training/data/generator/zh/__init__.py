"""Training texts in Chinese, all of them the project's own: no Chinese data with a licence is at hand.

Most come with the English that says the same, so that both languages share one vector space.
"""

from training.data.generator.zh.compose import MAKERS, chinese

__all__ = ["MAKERS", "chinese"]
