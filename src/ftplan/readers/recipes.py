"""What `ftplan apply` takes from a plan file: how many rows, how long, chosen how, and how lengths were counted."""

from __future__ import annotations

from pathlib import Path

from ftplan.apply import Recipe, Wanted
from ftplan.measure import Measure
from ftplan.readers.plans import plan_values


def read_recipe(path: str) -> Recipe:
    """Raises InputError, and Infeasible where the file says that there is no plan."""
    plain = plan_values(path)
    data, pool = plain["data"], plain["inputs"]["pool"]
    recipe = data["recipe"]
    measure = Measure(**pool["measure"]) if pool.get("measure") else None
    wanted = Wanted(
        examples=int(data["examples"]),
        avg_tokens=float(data["avg_tokens"]),
        band=(int(recipe["band"][0]), int(recipe["band"][1])),
        sampling=recipe["sampling"],
        cut_tokens=int(recipe["cut_tokens"]),
        seed=int(recipe["seed"]),
    )
    return Recipe(wanted, plain["selection"]["method"], measure, _tokenizer(path, pool["path"] or "", measure))


def _tokenizer(plan: str, pool_file: str, measure: Measure | None) -> str:
    """A pool file names its tokenizer from where it lies itself, and a plan its pool file likewise."""
    if measure is None or not measure.tokenizer:
        return ""
    folder = Path() if plan == "-" else Path(plan).parent
    return str((folder / pool_file).parent / measure.tokenizer)
