"""How good a model is: figures with their intervals, kinds of texts, bars, the page."""
