"""Which tests are those of the SQL surface, and which of them Multicorn2 3.2 cannot pass."""

from __future__ import annotations

SURFACE = frozenset(
    {
        *("test_attach.py", "test_badinput.py", "test_both_hosts.py", "test_catalogs.py"),
        "test_declared_types.py",
        *(
            "test_import.py",
            "test_import_options.py",
            "test_listing.py",
            "test_live.py",
            *("test_multicorn2.py", "test_multicorn2_faults.py"),
        ),
        *("test_names.py", "test_policy.py", "test_select.py", "test_settings.py", "test_setup.py"),
        *("test_snapshots.py", "test_sync.py", "test_sync_moves.py", "test_sync_problems.py"),
        *("test_types.py", "test_unrepresentable.py"),
    }
)
"""The files of this folder whose tests run on either host; all of tests/clients do."""

SQLSTATES, NOTICES, IMPORTS, HAND_MADE = "SQLSTATEs", "Notices", "Options of an import", "Tables made by hand"
COLUMNS, SETTINGS, PATHS, WRITING = "Columns", "Settings", "Paths", "Writing"
VALUES, ENCODINGS, SERVERS = "Messages of values", "Encodings", "Options of a server"
PLANS, PLANNER = "EXPLAIN", "Planner"

EXPECTED: tuple[tuple[str, str], ...] = (
    ("test_badinput.py::test_a_session_that_changed_after_its_import", SQLSTATES),
    ("test_badinput.py::test_a_damaged_session_cannot_be_imported", SQLSTATES),
    ("test_badinput.py::test_a_value_that_postgresql_cannot_hold", COLUMNS),
    ("test_badinput.py::test_a_view_that_breaks_after_its_import", SQLSTATES),
    ("test_badinput.py::test_a_view_reaches_nothing_outside_its_session", SQLSTATES),
    ("test_badinput.py::test_options_are_checked_at_once[CREATE FOREIGN TABLE {t} (a int OPTIONS", HAND_MADE),
    ("test_badinput.py::test_not_even_the_owner_of_a_server_chooses_a_folder", SERVERS),
    ("test_badinput.py::test_a_table_made_by_hand_of_a_session_that_never_was", HAND_MADE),
    ("test_import.py::test_what_is_refused", SQLSTATES),
    ("test_import.py::test_a_view_over_a_missing_database_is_left_out_by_name", NOTICES),
    ("test_import.py::test_import_takes_no_options", SQLSTATES),
    ("test_import_options.py::test_tables_and_views_alone", NOTICES),
    ("test_import_options.py::test_comments_may_stay_away", IMPORTS),
    ("test_import_options.py::test_each_import_of_a_transaction_says_so_for_itself", IMPORTS),
    ("test_import_options.py::test_not_null_comes_along", IMPORTS),
    ("test_import_options.py::test_an_import_that_fails_leaves_nothing", HAND_MADE),
    ("test_import_options.py::test_options_that_are_none", SQLSTATES),
    ("test_import_options.py::test_a_column_that_the_session_does_not_have", COLUMNS),
    ("test_import_options.py::test_a_promise_of_not_null_that_the_session_no_longer_makes", IMPORTS),
    ("test_import_options.py::test_a_type_that_changed_names_its_cure_and_sync_is_one", SQLSTATES),
    ("test_names.py::test_limit_to_and_except_go_by_the_names_in_postgresql", NOTICES),
    ("test_names.py::test_names_altered_by_hand", SQLSTATES),
    ("test_attach.py::test_what_cannot_be_imported_is_named_and_the_rest_is_there", NOTICES),
    ("test_policy.py::test_settings_show_both_kinds_and_no_path", SETTINGS),
    ("test_settings.py::test_a_view_that_wants_all_memory_is_an_error", SQLSTATES),
    ("test_settings.py::test_only_a_superuser_sets_limits", SETTINGS),
    ("test_settings.py::test_texts_in_a_database_of_another_encoding[SQL_ASCII]", ENCODINGS),
    ("test_listing.py::test_the_path_is_for_roles_that_may_read_server_files", PATHS),
    ("test_listing.py::test_a_reader_sees_the_list_and_cannot_write_it", WRITING),
    ("test_listing.py::test_a_folder_that_may_be_entered_but_not_listed", SQLSTATES),
    ("test_snapshots.py::test_a_dashboard_may_accept_an_older_state", SETTINGS),
    ("test_snapshots.py::test_a_staleness_below_zero_is_refused", SETTINGS),
    ("test_select.py::test_writing_is_refused_in_the_servers_own_words[INSERT", WRITING),
    ("test_select.py::test_writing_is_refused_in_the_servers_own_words[UPDATE", WRITING),
    ("test_select.py::test_writing_is_refused_in_the_servers_own_words[DELETE", WRITING),
    ("test_select.py::test_writing_is_refused_in_the_servers_own_words[COPY {} FROM", WRITING),
    ("test_declared_types.py::test_with_loss", SQLSTATES),
    ("test_declared_types.py::test_a_value_that_does_not_fit", VALUES),
    ("test_unrepresentable.py::test_by_default_it_is_an_error_that_names_table_column_and_value", VALUES),
    ("test_unrepresentable.py::test_the_servers_option_holds_where_the_table_has_none", VALUES),
    ("test_bi_shapes.py::test_explain_says_what_of_a_shape_runs_in_duckdb", PLANS),
    ("test_dbeaver.py::test_a_preview_stops_early", PLANS),
    ("test_dbeaver.py::test_filters_and_sorts_of_a_grid_run_in_duckdb", PLANS),
    ("test_dbeaver.py::test_a_cell_cannot_be_edited", WRITING),
    ("test_psycopg.py::test_an_error_in_a_pipeline", SQLSTATES),
    ("test_psycopg.py::test_prepared_statements[table-auto", PLANNER),
    ("test_psycopg.py::test_an_error_in_the_middle_of_a_stream", VALUES),
    ("test_psycopg.py::test_a_pool_hands_a_connection_on", SETTINGS),
    ("test_psql.py::test_an_error_in_the_middle_of_a_stream", VALUES),
    ("test_asyncpg.py::test_an_error_in_the_middle_of_a_stream", VALUES),
    ("test_sqlalchemy.py::test_the_pools_connection_goes_on_after_errors", VALUES),
)
"""The beginnings of tests' names, and the line of the table in docs/multicorn2.md that says why they fail."""


def expected_failure(node: str) -> str | None:
    """The line for a test that has to fail on Multicorn2, given its id; None if it has to pass."""
    path, _, test = node.partition("::")
    name = f"{path.rpartition('/')[2]}::{test}"
    return next((line for start, line in EXPECTED if name.startswith(start)), None)
