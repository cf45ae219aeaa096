"""The names that a mistyped name may mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher
from heapq import heappop, heappush

_LIKE_ENOUGH = 0.6
_CHECK_EVERY = 256


def nearest(
    name: str, known: Iterable[str], check: Callable[[], None] = lambda: None, *, most: int = 3
) -> list[str]:
    """At most `most` of the known names that are like the given one, the best first.

    Comparing two names is slow, so it comes last: names are taken in the order of how like they can be at
    best, judged by the letters that both have, until no further one can be among the best.
    """
    wanted = _bytes(name)
    letters = Counter(wanted).items()
    matcher = SequenceMatcher(None, b=name.lower(), autojunk=False)
    found: list[tuple[float, str]] = []  # a heap: the least like first
    least = _LIKE_ENOUGH
    for number, (bound, other, text) in enumerate(_by_common_letters(wanted, known, check)):
        if bound < least:
            break
        if number % _CHECK_EVERY == 0:
            check()
        shared = sum([min(count, text.count(letter)) for letter, count in letters])
        if 2 * shared < least * (len(wanted) + len(text)):
            continue
        matcher.set_seq1(other.lower())
        ratio = matcher.ratio()
        if ratio >= least:
            heappush(found, (ratio, other))
            if len(found) > most:
                heappop(found)
            if len(found) == most:
                least = found[0][0]
    return [other for _, other in sorted(found, reverse=True)]


def _by_common_letters(
    wanted: bytes, known: Iterable[str], check: Callable[[], None]
) -> list[tuple[float, str, bytes]]:
    """The names that may be like enough, each with a bound of its likeness, in falling order of that."""
    found = []
    for number, other in enumerate(known):
        if number % _CHECK_EVERY == 0:
            check()
        text = _bytes(other)
        shared = min(len(wanted), len(text) - len(text.translate(None, wanted)))
        bound = 2 * shared / (len(wanted) + len(text) or 1)
        if bound >= _LIKE_ENOUGH:
            found.append((bound, other, text))
    return sorted(found, reverse=True)


def _bytes(name: str) -> bytes:
    """One byte per letter, equal for equal letters: enough for a bound, and much faster than text."""
    return name.lower().encode("latin-1", "replace")


def did_you_mean(names: Sequence[str]) -> str | None:
    """A hint that offers these names, or None if there are none."""
    if not names:
        return None
    quoted = [f'"{name}"' for name in names]
    offer = quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " or " + quoted[-1]
    return f"Did you mean {offer}?"
