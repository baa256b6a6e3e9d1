"""Which function handles which kind of fitted estimator, by name, so that no optional library is imported to ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

F = TypeVar("F", bound=Callable[..., object])


def kind_names(cls: type) -> list[str]:
    """Give the names under which a class may be registered: its own first, then its parents'.

    Parameters
    ----------
    cls : type
        Class of a fitted estimator.

    Returns
    -------
    list of str
        ``"<top package>.<class name>"`` along the method resolution order.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> kind_names(RandomForestClassifier)[:2]
    ['sklearn.RandomForestClassifier', 'sklearn.ForestClassifier']
    """
    return [f"{parent.__module__.partition('.')[0]}.{parent.__name__}" for parent in cls.__mro__]


class Registry(Generic[F]):
    """Functions by the kind of estimator that they handle.

    Parameters
    ----------
    purpose : str
        What the functions do, as the start of an error: ``"Reading trees"``.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> registry = Registry("Counting")
    >>> @registry.register("sklearn.DecisionTreeClassifier")
    ... def count(tree):
    ...     return tree.tree_.node_count
    >>> registry.find(DecisionTreeClassifier()) is count
    True
    >>> registry.find("a string")
    Traceback (most recent call last):
    TypeError: Counting is possible for sklearn.DecisionTreeClassifier; received builtins.str.
    """

    def __init__(self, purpose: str) -> None:
        self.purpose = purpose
        self._functions: dict[str, F] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Kinds that are registered, sorted."""
        return tuple(sorted(self._functions))

    def register(self, *names: str) -> Callable[[F], F]:
        """Decorate the function that handles the kinds called `names`.

        Parameters
        ----------
        *names : str
            ``"<top package>.<class name>"``.

        Returns
        -------
        callable
            A decorator that returns its function unchanged.

        Examples
        --------
        >>> registry = Registry("Counting")
        >>> registry.register("builtins.list")(len)([1, 2])
        2
        """

        def keep(function: F) -> F:
            self._functions.update(dict.fromkeys(names, function))
            return function

        return keep

    def find(self, estimator: object) -> F:
        """Give the function for an estimator, or say which kinds there are.

        Parameters
        ----------
        estimator : object
            Fitted estimator; a subclass counts as its parent unless it predicts in its own way.

        Returns
        -------
        callable
            The registered function.

        Raises
        ------
        TypeError
            When no function handles the kind.

        Examples
        --------
        >>> registry = Registry("Counting")
        >>> function = registry.register("builtins.list")(len)
        >>> registry.find([1, 2, 3]) is len
        True
        """
        for parent, name in zip(type(estimator).__mro__, kind_names(type(estimator)), strict=True):
            if name in self._functions:
                return self._functions[name]
            # A subclass with its own predict_proba is another model: reading it as its parent would be silently wrong.
            if {"predict", "predict_proba"} & set(vars(parent)):
                break
        known = ", ".join(self.names)
        raise TypeError(f"{self.purpose} is possible for {known}; received {kind_names(type(estimator))[0]}.")
