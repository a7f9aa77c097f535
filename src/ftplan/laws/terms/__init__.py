"""One term of ln D a file; the folder is the registry (`ftplan.laws`)."""
