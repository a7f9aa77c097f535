"""Every registry is a folder: one module or file, one entry. Listing it imports nothing, so Tab can ask."""

from __future__ import annotations

from pathlib import Path

from ftplan.errors import InputError

PACKAGE = Path(__file__).resolve().parent
#: folder below presets -> suffix of its files
PRESETS = {
    "gpus": ".toml",
    "models": ".toml",
    "selectors": ".toml",
    "laws": ".toml",
    "assumptions": ".toml",
    "problems": ".toml",
    "runs": ".csv",
    "priors": ".toml",
    "panels": ".toml",
    "utilisation": ".toml",
}


def modules(folder: str) -> list[str]:
    """Modules of a folder of the package ('formats', 'laws/terms'), sorted."""
    return stems(PACKAGE / folder, ".py")


def stems(folder: Path, suffix: str) -> list[str]:
    """Files of a folder by name without their suffix, sorted."""
    return sorted(path.stem for path in folder.glob(f"[!_]*{suffix}"))


def presets_folder() -> Path:
    """The presets: inside the installed package, or beside `src` in a source tree or an editable install."""
    for candidate in (PACKAGE / "_presets", PACKAGE.parent.parent / "presets"):
        if candidate.is_dir():
            return candidate
    raise InputError("this installation of ftplan lacks its presets folder", hint="install it again")


def presets(kind: str) -> list[str]:
    """Names of all presets of one kind (a key of PRESETS), sorted. Reads the folder, not the files."""
    return stems(presets_folder() / kind, PRESETS[kind])
