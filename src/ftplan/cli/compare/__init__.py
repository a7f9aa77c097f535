"""`ftplan compare`: things side by side, one file a sub-command."""

HELP = """Examples:

\b
  ftplan compare laws runs.csv
  ftplan compare laws runs.csv other.csv --law power --law rectified+length
  ftplan compare strategies quickstart --budget 1e11flops --budget 1e12flops
  ftplan compare methods lora-8b
  ftplan compare plans plan.yaml cheaper.yaml
"""
COMMANDS = {
    "laws": "Every law on every series of some run tables: errors, differences, doubts.",
    "methods": "When a selection method pays: budgets and model sizes.",
    "strategies": "Few long examples, many short ones, or the best between.",
    "plans": "What differs between plans: data, cost, prediction.",
}
