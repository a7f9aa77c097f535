"""Fine-tunes that vary everything a plan decides: examples, length, epochs, selection method, both models' sizes.

    python -m experiments --quick     a handful of runs, under five minutes
    python -m experiments             the full grid, a few hours on a CPU; interrupted, it goes on where it stopped

Needs the extra `experiments` (PyTorch on a CPU will do); nothing of the package imports this folder.
"""
