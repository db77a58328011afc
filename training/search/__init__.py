"""Better hyperparameters: what is varied, the trials, and what they found."""
