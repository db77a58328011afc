"""A training run: from a recipe and its data to a calibrated model in its folder."""
