"""How the model comes to be: data, fine-tuning, evaluation and export into the model repository."""
