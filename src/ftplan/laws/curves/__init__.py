"""One curve a file; the folder is the registry (`ftplan.laws`)."""
