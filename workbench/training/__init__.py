"""One training loop for pretraining and tuning, and what it stands on: data order, masks, checkpoints, models."""
