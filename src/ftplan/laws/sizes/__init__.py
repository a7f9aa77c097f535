"""One way for model size to enter a file; the folder is the registry (`ftplan.laws`)."""
