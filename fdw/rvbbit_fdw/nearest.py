"""The names that a mistyped name may mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher
from heapq import nlargest

_LIKE_ENOUGH = 0.6
_CHECK_EVERY = 256


def nearest(
    name: str, known: Iterable[str], check: Callable[[], None] = lambda: None, *, most: int = 3
) -> list[str]:
    """At most `most` of the known names that are like the given one, the best first."""
    matcher = SequenceMatcher(None, b=name.lower(), autojunk=False)
    found: list[tuple[float, str]] = []
    for number, other in enumerate(known):
        if number % _CHECK_EVERY == 0:
            check()
        matcher.set_seq1(other.lower())
        if matcher.real_quick_ratio() >= _LIKE_ENOUGH and matcher.quick_ratio() >= _LIKE_ENOUGH:
            found.append((matcher.ratio(), other))
    return [other for ratio, other in nlargest(most, found) if ratio >= _LIKE_ENOUGH]


def did_you_mean(names: Sequence[str]) -> str | None:
    """A hint that offers these names, or None if there are none."""
    if not names:
        return None
    quoted = [f'"{name}"' for name in names]
    offer = quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " or " + quoted[-1]
    return f"Did you mean {offer}?"
