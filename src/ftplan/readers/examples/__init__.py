"""Pools of training examples, read row by row in constant memory: what they say, and how long they are."""
