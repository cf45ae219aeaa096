"""What a run of random statements saw."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

WHOLE = "any"
"""The shape of statements over session tables alone."""


@dataclass
class Report:
    """What a run saw."""

    queries: int = 0
    dropped: int = 0
    failed: int = 0
    with_pushdown: int = 0
    whole: int = 0
    fallbacks: int = 0
    open: int = 0
    idle: int = 0
    made: Counter[str] = field(default_factory=Counter)
    pushed: Counter[str] = field(default_factory=Counter)
    features: Counter[str] = field(default_factory=Counter)
    whole_features: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def share(self) -> float:
        """Of the queries, how many had something pushed."""
        return self.with_pushdown / max(self.queries, 1)

    def share_of_whole(self) -> float:
        """Of the queries over session tables alone, how many DuckDB answers as a whole."""
        return self.whole_features[WHOLE] / max(self.features[WHOLE], 1)

    def counts(self) -> list[str]:
        """A line for each entry of the allow-list and each feature: how often it was made and pushed."""
        entries = [
            f"{name}: made {made}, pushed {self.pushed[name]}" for name, made in sorted(self.made.items())
        ]
        features = [
            f"{name}: made {made}, whole {self.whole_features[name]}"
            for name, made in sorted(self.features.items())
        ]
        return [*entries, *features]

    def __str__(self) -> str:
        return (
            f"{self.queries} queries ({self.dropped} dropped), {len(self.differences)} different, "
            f"{self.share():.0%} with something pushed, {self.whole} whole "
            f"({self.share_of_whole():.0%} of those over session tables alone), {self.fallbacks} fallbacks, "
            f"{self.failed} failed on both sides, {self.open} in another order, "
            f"{self.idle} errors of what decides nothing, "
            f"{self.queries / max(self.seconds, 0.001):.0f} per second"
        )
