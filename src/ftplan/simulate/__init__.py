"""What a law predicts before anything is run."""
