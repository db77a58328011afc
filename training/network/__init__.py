"""The multi-task model: word pieces in, heads, losses, what of it learns, how it is kept."""
