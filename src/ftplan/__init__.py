"""ftplan: which data a fine-tune should see on a budget."""

__version__ = "0.1.0"
