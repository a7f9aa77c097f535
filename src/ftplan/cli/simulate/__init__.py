"""`ftplan simulate`: what a law and a problem say before anything is run, one file a sub-command."""

HELP = """Examples:

\b
  ftplan simulate budgets quickstart
  ftplan simulate budgets fit.yaml --problem my.toml --from 50usd --to 500usd
  ftplan simulate pilots quickstart --pilots 1e12flops
  ftplan simulate runs pyfunc-s -o runs.csv
"""
COMMANDS = {
    "budgets": "The best plan under each budget of a sweep.",
    "pilots": "Which few runs to make first, and how good a plan they buy.",
    "runs": "A synthetic run table: what a law says, with noise.",
}
