"""Names that moved to another module stay importable from the old one for one version."""

import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def moved(old_module: str, new_homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Make a module's ``__getattr__``, which warns of a moved name and forwards to its new home.

    Parameters
    ----------
    old_module : str
        Where the names were: ``__name__`` of the module that calls this.
    new_homes : mapping of str to str
        For each name that moved, the module where it lives now; for one that also got another
        name, "module:new_name".

    Returns
    -------
    callable
        To be assigned to ``__getattr__`` in the old module.

    Notes
    -----
    Python calls a module's ``__getattr__`` only for names that the module lacks (PEP 562). The new
    module is imported when the name is asked for.

    Examples
    --------
    In a module from which ``GDO`` moved away::

        __getattr__ = moved(__name__, {"GDO": "simpor.relatives"})
    """

    def __getattr__(name: str) -> Any:
        if name not in new_homes:
            raise AttributeError(f"module {old_module!r} has no attribute {name!r}")
        new_module, _, new_name = new_homes[name].partition(":")
        what = new_name or "it"
        warnings.warn(
            f"{old_module}.{name} moved: import {what} from {new_module}. "
            "The old place goes with the next version.",
            FutureWarning,
            stacklevel=2,
        )
        return getattr(import_module(new_module), new_name or name)

    return __getattr__
