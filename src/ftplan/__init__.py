"""ftplan: which data a fine-tune should see on a budget.

In Python: `import ftplan`, then `read_runs`, `fit_runs`, `predict_rows`, `make_plan`, `profile_pool` and what else
`ftplan.api` has. Importing the package loads none of it: a name is looked up when it is first used.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ftplan.api import (
        export_plan,
        fit_runs,
        make_plan,
        predict_rows,
        profile_pool,
        read_fit,
        read_plan,
        read_runs,
        save,
        to_pandas,
        to_rows,
    )

__all__ = [
    "__version__",
    "export_plan",
    "fit_runs",
    "make_plan",
    "predict_rows",
    "profile_pool",
    "read_fit",
    "read_plan",
    "read_runs",
    "save",
    "to_pandas",
    "to_rows",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'ftplan' has no attribute {name!r}")
    from ftplan import api

    value: object = getattr(api, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
