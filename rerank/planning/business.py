"""Business assumptions on disk: an experiment's own, else the user's for all experiments."""

import dataclasses
import datetime
import tomllib
from pathlib import Path

from rerank.cost.business import BUSINESS_FILE, Business, business_from_dict, check_business
from rerank.errors import RerankError
from rerank.planning.experiments import experiment_folder, now
from rerank.store.artefacts import read_json, write_json
from rerank.store.home import home


def defaults_path() -> Path:
    """Return where the assumptions for experiments without their own lie, whether they exist or not."""
    return home() / BUSINESS_FILE


def business_path(experiment: str) -> Path:
    """Return where an experiment's own assumptions lie, whether they exist or not."""
    return experiment_folder(experiment) / BUSINESS_FILE


def load_business(experiment: str | None = None) -> Business | None:
    """Return the assumptions of an experiment, else the user's own for all, else None.

    Raises RerankError `business_unreadable` and what `business_from_dict` raises.
    """
    paths = [defaults_path()] if experiment is None else [business_path(experiment), defaults_path()]
    for path in paths:
        if path.is_file():
            return read_business(path)
    return None


def read_business(path: Path) -> Business:
    """Return the assumptions in a JSON or TOML file, stated when it was last changed unless it says so itself.

    Raises RerankError `input_not_found` and as `load_business` does.
    """
    try:
        if path.suffix == ".toml":
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        else:
            given = read_json(path)
        if not isinstance(given, dict):
            raise ValueError("no table of settings")
    except OSError as error:
        raise RerankError("input_not_found", path=str(path)) from error
    except ValueError as error:  # broken JSON, TOML or UTF-8
        raise RerankError("business_unreadable", path=str(path), reason=str(error)) from error
    days = {name: value.isoformat() for name, value in given.items() if isinstance(value, datetime.date)}
    saved = datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.UTC).isoformat(timespec="seconds")
    return business_from_dict({"stated_at": saved, **given, **days})


def save_business(business: Business, experiment: str | None = None) -> Business:
    """Write assumptions with this moment as their time, for one experiment or for all; return them.

    Raises RerankError as `check_business` does.
    """
    stated = dataclasses.replace(business, stated_at=now())
    check_business(stated)
    write_json(defaults_path() if experiment is None else business_path(experiment), stated.to_dict())
    return stated
