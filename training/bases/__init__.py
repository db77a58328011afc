"""Pre-trained encoders that a run begins with: found, converted, fitted to a shop's texts."""
