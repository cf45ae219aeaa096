"""Names that PostgreSQL can hold, and that stay apart."""

from rvbbit_fdw.identifiers import MAX_BYTES, SYSTEM_COLUMNS, column_names, cut, folded, postgres_names

LONG = "a" * 80


def test_short_names_stay() -> None:
    names = ["_output", "Weird Name", 'q"uote', "ü" * 31, "x" * MAX_BYTES]
    assert postgres_names(names) == names


def test_long_names_are_cut_and_marked() -> None:
    (name,) = postgres_names([LONG])
    assert len(name) == MAX_BYTES
    assert name.startswith("a" * 54 + "_")
    assert postgres_names(["b", LONG])[1] == name


def test_names_equal_in_63_bytes_stay_apart() -> None:
    names = postgres_names([LONG + "1", LONG + "2", LONG])
    assert len(set(names)) == 3


def test_characters_are_never_split() -> None:
    for text in ["ü" * 60, "a" + "€" * 40, "🐇" * 30]:
        (name,) = postgres_names([text])
        assert len(name.encode()) <= MAX_BYTES
        assert text.startswith(name[:-9])
    assert cut("a€", 3) == "a"


def test_a_short_name_keeps_its_own_even_if_a_long_one_would_take_it() -> None:
    (taken,) = postgres_names([LONG])
    names = postgres_names([LONG, taken])
    assert names[1] == taken
    assert names[0] != taken


def test_system_columns_get_a_suffix() -> None:
    names = column_names([*sorted(SYSTEM_COLUMNS), "ctid_", "CTID"])
    assert len(set(names)) == len(names)
    assert not SYSTEM_COLUMNS & set(names)
    assert "xmin_" in names
    assert names[-2:] == ["ctid_", "CTID"]


def test_names_that_differ_by_case_alone_and_empty_names() -> None:
    assert postgres_names(["Id", "id"]) == ["Id", "id"]
    assert all(postgres_names(["", "a"]))


def test_equal_names_become_distinct() -> None:
    assert len(set(postgres_names(["a", "a", "a"]))) == 3


def test_a_name_stays_when_others_come_and_go() -> None:
    names = [LONG, LONG + "1", "ctid", "plain", "é" * 40, "Plain"]
    alone = {name: column_names([name])[0] for name in names}
    for others in ([], ["b"], [LONG + "2", "xmin"], names[::-1]):
        given = dict.fromkeys([*others, *names])
        assert dict(zip(given, column_names(list(given)), strict=True)).items() >= alone.items()


def test_names_are_compared_as_duckdb_does() -> None:
    assert folded("AbZ_É") == folded("aBz_É")
    assert folded("É") != folded("é")
    assert folded("\u212a") != "k"
