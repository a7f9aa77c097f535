"""Laws, strategies, selection methods and plans side by side: pure, from fits and problems to results."""
