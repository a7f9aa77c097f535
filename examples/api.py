"""From a table of finished runs to a plan and a trainer's configuration: `python examples/api.py RUNS POOL`."""

import sys
from pathlib import Path

import ftplan

runs, rows = sys.argv[1:]
fit = ftplan.fit_runs(ftplan.read_runs(runs))
print(ftplan.predict_rows(fit, [{"examples": 2_000, "avg_tokens": 128}])[0])

plan = ftplan.make_plan(
    fit=fit,
    pool=ftplan.profile_pool(rows),
    model="pyfunc-s",
    budgets="8e10flops",
    max_length=512,
)
print(plan.data.examples, "examples of", round(plan.data.avg_tokens, 1), "tokens:", plan.prediction.value)

ftplan.save(plan, "plan.yaml")
Path("trl.yaml").write_text(ftplan.export_plan(plan, "trl", "trl.yaml"), encoding="utf-8")
