"""Training runs on this machine, and the models that they made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

RUNS = "RECEPTIVE_RUNS"
EXAMPLES = Path(__file__).parent / "examples"
MOST_FOLDERS = 2_000  # looked through for runs
DEEPEST = 4  # folders below the one where the search begins
SKIPPED = {"__pycache__", "node_modules", "site-packages"}


class Run(NamedTuple):
    """A training run: its folder, and what it is called."""

    folder: Path
    name: str


def runs_folder() -> Path:
    """Where runs are looked for: what RECEPTIVE_RUNS says, or else where the server was started."""
    return Path(os.environ.get(RUNS) or Path.cwd())


def find_runs(root: Path) -> list[Run]:
    """Every folder below `root` with a log.jsonl, the one last written to first.

    Links, hidden folders and the examples are passed by, and it ends after MOST_FOLDERS.
    """
    return [Run(folder, _name(folder, root)) for _, folder in sorted(_logs(root), reverse=True)]


def example_runs() -> list[Run]:
    """Four networks on MNIST, every tenth line of their logs."""
    return [
        Run(folder, f"{folder.name} (example)")
        for folder in sorted(EXAMPLES.iterdir())
        if folder.is_dir()
    ]


def cards_of(runs: list[Run], root: Path) -> dict[str, Path]:
    """The cards that stand beside these runs' folders, by their path below `root`: NAME.toml beside
    NAME.run."""
    found = {}
    for run in runs:
        home = run.folder.parent
        card = home.with_name(f"{home.name.removesuffix('.run')}.toml")
        if home.suffix == ".run" and home != root and card.is_file() and not card.is_symlink():
            found[card.relative_to(root).as_posix()] = card
    return found


def _logs(root: Path) -> Iterator[tuple[float, Path]]:
    """When a log was last written, and the folder that it lies in."""
    level, left = [root], MOST_FOLDERS
    for _ in range(DEEPEST + 1):
        below: list[Path] = []
        for folder in level[:left]:
            with suppress(OSError), os.scandir(folder) as entries:  # not ours to read, or gone
                for entry in sorted(entries, key=lambda entry: entry.name):
                    if entry.name == "log.jsonl" and entry.is_file(follow_symlinks=False):
                        yield entry.stat().st_mtime, folder
                    elif entry.is_dir(follow_symlinks=False) and _is_searched(Path(entry.path)):
                        below.append(Path(entry.path))
        left = max(left - len(level), 0)
        level = below


def _is_searched(folder: Path) -> bool:
    return not folder.name.startswith(".") and folder.name not in SKIPPED and folder != EXAMPLES


def _name(folder: Path, root: Path) -> str:
    """A run's folder below `root`: models/mine.run/0f23c9145829 is "models/mine 0f23"."""
    if folder == root:
        return folder.name
    *above, last = folder.relative_to(root).parts
    if above and above[-1].endswith(".run"):
        return f"{'/'.join(above).removesuffix('.run')} {last[:4]}"
    return "/".join([*above, last])
