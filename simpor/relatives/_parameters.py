"""What the relatives ask of their parameters, and the sentence where it does not hold."""

from typing import Any

import numpy as np

from simpor._checks import check_whole, is_number

__all__ = ["check_choice", "check_layers", "check_not_negative", "check_positive"]


def check_choice(name: str, value: Any, *choices: str | None, instead: str = "") -> None:
    """Validate a parameter that names one of several ways.

    Parameters
    ----------
    name : str
        The parameter's name, for the message.
    value : object
    *choices : str or None
    instead : str, default=""
        What else is allowed, for the message.

    Raises
    ------
    ValueError
        If the value is not among the choices.

    Examples
    --------
    >>> from simpor.relatives._parameters import check_choice
    >>> check_choice("scale", "Paper", "paper", "free")
    Traceback (most recent call last):
        ...
    ValueError: scale='Paper': give "paper" or "free".
    """
    if (value is None or isinstance(value, str)) and value in choices:
        return
    words = [str(choice) if choice is None else f'"{choice}"' for choice in choices]
    words += [instead] if instead else []
    raise ValueError(f"{name}={value!r}: give {', '.join(words[:-1])} or {words[-1]}.")


def check_positive(name: str, value: Any, instead: str = "") -> None:
    """Validate a parameter that is a number above 0.

    Parameters
    ----------
    name : str
    value : object
    instead : str, default=""
        What else is allowed, for the message.

    Raises
    ------
    ValueError
        If the value is not a finite number above 0.

    Examples
    --------
    >>> from simpor.relatives._parameters import check_positive
    >>> check_positive("gamma", -1, instead=', or "scale"')
    Traceback (most recent call last):
        ...
    ValueError: gamma=-1: give a number above 0, or "scale".
    """
    if not is_number(value) or not 0 < value < np.inf:
        raise ValueError(f"{name}={value!r}: give a number above 0{instead}.")


def check_not_negative(name: str, value: Any) -> None:
    """Validate a parameter that is 0 or a number above it.

    Parameters
    ----------
    name : str
    value : object

    Raises
    ------
    ValueError
        If the value is not a finite number of at least 0.

    Examples
    --------
    >>> from simpor.relatives._parameters import check_not_negative
    >>> check_not_negative("ridge", float("nan"))
    Traceback (most recent call last):
        ...
    ValueError: ridge=nan: give a number >= 0.
    """
    if not is_number(value) or not 0 <= value < np.inf:
        raise ValueError(f"{name}={value!r}: give a number >= 0.")


def check_layers(hidden_layers: Any) -> None:
    """Validate the units of a network's hidden layers.

    Parameters
    ----------
    hidden_layers : sequence of int

    Raises
    ------
    TypeError
        If it is not a sequence.
    ValueError
        If one of its entries is not a whole number above 0.

    Examples
    --------
    >>> from simpor.relatives._parameters import check_layers
    >>> check_layers(10)
    Traceback (most recent call last):
        ...
    TypeError: hidden_layers=10: give one number per layer, as in (10, 10).
    """
    if not isinstance(hidden_layers, (list, tuple, np.ndarray)):
        raise TypeError(
            f"hidden_layers={hidden_layers!r}: give one number per layer, as in (10, 10)."
        )
    for n_units in hidden_layers:
        check_whole("hidden_layers", n_units)
