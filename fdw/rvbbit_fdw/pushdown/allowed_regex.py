"""Regular expressions that are known when planning."""

from __future__ import annotations

from collections.abc import Iterator

from rvbbit_fdw.pushdown.entry import Call, Collation, Entry, Speller, constant, special
from rvbbit_fdw.pushdown.logic import truth
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.regex import translate, with_one_group
from rvbbit_fdw.pushdown.written import Written
from rvbbit_fdw.sqltext import Sql, literal


def _matches(form: str, *, ignore_case: bool) -> Speller:
    def spell(call: Call) -> Written:
        pattern = translate(constant(call, 1, "the pattern"), ignore_case=ignore_case)
        test = f"regexp_matches({call[0].sql}, {literal(pattern)}, 's')"
        return truth(form.format(test), call[0])

    return spell


def _replaced(call: Call) -> Written:
    """The whole text is what the pattern describes, so there is one replacement at most."""
    pattern = with_one_group(constant(call, 1, "the pattern"))
    replacement = constant(call, 2, "the replacement")
    if "\\" in replacement.replace("\\1", ""):
        raise Local("a replacement with other than \\1 in it")
    sql = f"regexp_replace({call[0].sql}, {literal(pattern)}, {literal(replacement)}, 's')"
    return Written(Sql(sql), call[0].kind, call[0].fallible)


def _entries() -> Iterator[Entry]:
    for names, form, ignore_case in (
        (("~", "textregexeq", "regexp_like"), "{}", False),
        (("!~", "textregexne"), "(NOT {})", False),
        (("~*", "texticregexeq"), "{}", True),
        (("!~*", "texticregexne"), "(NOT {})", True),
    ):
        for name in names:
            yield special(
                f"{name}(text,text)",
                "bool",
                _matches(form, ignore_case=ignore_case),
                form.removeprefix("(").removesuffix(")").format("regexp_matches(a, b, 's')"),
                collation=Collation.CASE,
                constants=[1],
                note="patterns of characters, ., brackets, groups, |, repetitions, ^ and $",
            )
    yield special(
        "regexp_replace(text,text,text)",
        "text",
        _replaced,
        "regexp_replace(a, b, c, 's')",
        collation=Collation.CASE,
        constants=[1, 2],
        note="patterns such as ^https?://(?:www\\.)?([^/]+)/.*$, with one group",
    )


ENTRIES = tuple(_entries())
