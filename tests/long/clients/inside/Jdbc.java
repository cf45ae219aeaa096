// What pgJDBC makes of a session: each fact is a line "section<TAB>field<TAB>field...", which the test reads.
//   java -cp postgresql.jar Jdbc.java <url> <session's schema>
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.time.OffsetTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class Jdbc {
    private static final Pattern DELIVERED = Pattern.compile("DuckDB Rows: (\\d+)");

    private final String url;
    private final String schema;

    Jdbc(String url, String schema) {
        this.url = url;
        this.schema = schema;
    }

    public static void main(String[] arguments) throws Exception {
        Jdbc jdbc = new Jdbc(arguments[0], arguments[1]);
        try (Connection connection = DriverManager.getConnection(jdbc.url)) {
            DatabaseMetaData metadata = connection.getMetaData();
            say("driver", metadata.getDriverVersion());
            jdbc.metadata(metadata);
            jdbc.values(connection);
            jdbc.parameters(connection);
            jdbc.portions(connection);
            jdbc.maxRows(connection);
            jdbc.trouble(connection);
        }
    }

    private static void say(String section, Object... fields) {
        StringBuilder line = new StringBuilder(section);
        for (Object field : fields) {
            String text = String.valueOf(field).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n");
            line.append('\t').append(text);
        }
        System.out.println(line);
    }

    private static String escaped(DatabaseMetaData metadata, String name) throws SQLException {
        return name.replace("_", metadata.getSearchStringEscape() + "_");
    }

    private void metadata(DatabaseMetaData metadata) throws SQLException {
        String pattern = escaped(metadata, schema);
        tables("tables of any type", metadata.getTables(null, pattern, "%", null));
        tables("tables and views", metadata.getTables(null, pattern, "%", new String[] {"TABLE", "VIEW"}));
        tables("partitioned", metadata.getTables(null, pattern, "%", new String[] {"PARTITIONED TABLE"}));
        tables("foreign", metadata.getTables(null, pattern, "%", new String[] {"FOREIGN TABLE"}));
        try (ResultSet rows = metadata.getSchemas()) {
            while (rows.next()) say("schema", rows.getString("TABLE_SCHEM"));
        }
        try (ResultSet rows = metadata.getColumns(null, pattern, "\\_types", "%")) {
            while (rows.next()) {
                say("column", rows.getString("COLUMN_NAME"), rows.getInt("DATA_TYPE"), rows.getString("TYPE_NAME"),
                    rows.getInt("COLUMN_SIZE"), rows.getInt("DECIMAL_DIGITS"), rows.getString("IS_NULLABLE"),
                    rows.getString("REMARKS"));
            }
        }
        say("keys", count(metadata.getPrimaryKeys(null, schema, "_types")),
            count(metadata.getIndexInfo(null, schema, "_types", false, false)),
            count(metadata.getImportedKeys(null, schema, "_types")),
            count(metadata.getBestRowIdentifier(null, schema, "_types", 0, true)));
    }

    private static void tables(String section, ResultSet rows) throws SQLException {
        say(section);
        while (rows.next()) {
            say(section, rows.getString("TABLE_NAME"), rows.getString("TABLE_TYPE"), rows.getString("REMARKS"));
        }
        rows.close();
    }

    private static int count(ResultSet rows) throws SQLException {
        int count = 0;
        while (rows.next()) count++;
        rows.close();
        return count;
    }

    private void values(Connection connection) throws SQLException {
        String query = "SELECT * FROM " + schema + "._types ORDER BY id";
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            // From the fifth time on the statement is a named one, with binary values.
            for (int time = 1; time <= 7; time++) {
                try (ResultSet rows = statement.executeQuery()) {
                    ResultSetMetaData columns = rows.getMetaData();
                    while (rows.next()) {
                        for (int n = 1; n <= columns.getColumnCount(); n++) {
                            Object value = rows.getObject(n);
                            say("value " + time, rows.getInt("id"), columns.getColumnName(n),
                                columns.getColumnTypeName(n), value == null ? "" : value.getClass().getName(),
                                text(rows, n, value));
                        }
                    }
                }
            }
        }
    }

    /** The same text for a value that came as text and one that came in binary form. */
    private static String text(ResultSet rows, int n, Object value) throws SQLException {
        if (value instanceof byte[] bytes) return HexFormat.of().formatHex(bytes);
        if (value instanceof java.sql.Array array) return Arrays.toString((Object[]) array.getArray());
        if (value instanceof java.sql.Time && rows.getMetaData().getColumnTypeName(n).equals("timetz")) {
            return rows.getObject(n, OffsetTime.class).toString();
        }
        return rows.getString(n);
    }

    private void parameters(Connection connection) throws SQLException {
        String query = "SELECT count(*) FROM " + schema + "._stream WHERE region = ? AND price >= ? AND sold_at < ?";
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            for (int time = 1; time <= 12; time++) {
                statement.setString(1, time % 2 == 0 ? "north" : "south");
                statement.setDouble(2, 90 + time);
                statement.setTimestamp(3, java.sql.Timestamp.valueOf("2026-01-05 00:00:00"));
                try (ResultSet rows = statement.executeQuery()) {
                    rows.next();
                    say("parameters", time, rows.getLong(1));
                }
            }
        }
    }

    /** The whole table in portions of 500, with a second cursor and a statement in between. */
    private void portions(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        long sum = 0;
        int read = 0;
        try (Statement one = connection.createStatement(); Statement two = connection.createStatement()) {
            one.setFetchSize(500);
            two.setFetchSize(7);
            ResultSet first = one.executeQuery("SELECT id FROM " + schema + "._stream ORDER BY id LIMIT 20000");
            ResultSet second = two.executeQuery("SELECT id FROM " + schema + "._stream ORDER BY id DESC");
            while (first.next()) {
                second.next();
                sum += first.getLong(1) - second.getLong(1);
                read++;
            }
        }
        connection.commit();
        connection.setAutoCommit(true);
        say("portions", read, sum);
    }

    private void explain(Statement statement) throws SQLException {
        statement.execute("SET auto_explain.log_min_duration = 0; SET auto_explain.log_analyze = on;"
            + "SET auto_explain.log_level = notice");
    }

    /** A grid's page: 200 rows of a million, once by maxRows alone, once by fetch size within a transaction. */
    private void maxRows(Connection ignored) throws SQLException {
        String admin = url.replace("user=rvbbit", "user=postgres");
        for (boolean inTransaction : new boolean[] {false, true}) {
            try (Connection connection = DriverManager.getConnection(admin);
                Statement statement = connection.createStatement()) {
                explain(statement);
                connection.setAutoCommit(!inTransaction);
                statement.clearWarnings();
                if (inTransaction) statement.setFetchSize(200);
                else statement.setMaxRows(200);
                List<Long> ids = new ArrayList<>();
                ResultSet rows = statement.executeQuery("SELECT x.* FROM " + schema + "._stream x");
                while (ids.size() < 200 && rows.next()) ids.add(rows.getLong("id"));
                boolean more = rows.next();
                rows.close();
                if (inTransaction) connection.commit();
                long delivered = delivered(statement.getWarnings()) + delivered(connection.getWarnings());
                say("page", inTransaction, ids.size(), more, delivered);
            }
        }
    }

    private static long delivered(SQLWarning warning) {
        long found = 0;
        for (; warning != null; warning = warning.getNextWarning()) {
            Matcher matcher = DELIVERED.matcher(warning.getMessage());
            while (matcher.find()) found += Long.parseLong(matcher.group(1));
        }
        return found;
    }

    private void trouble(Connection connection) throws Exception {
        String endless = "SELECT n FROM " + schema + "._endless";
        try (Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(1);
            fails("query timeout", statement, endless);
            alive("query timeout", connection);
        }
        try (Statement statement = connection.createStatement()) {
            Thread canceller = new Thread(() -> {
                try {
                    Thread.sleep(300);
                    statement.cancel();
                } catch (Exception error) {
                    say("error", error);
                }
            });
            canceller.start();
            fails("cancel", statement, endless);
            canceller.join();
            alive("cancel", connection);
        }
        connection.setAutoCommit(false);
        int read = 0;
        try (Statement statement = connection.createStatement()) {
            statement.setFetchSize(1000);
            ResultSet rows = statement.executeQuery("SELECT id, note FROM " + schema + "._fails_late");
            while (rows.next()) read++;
            say("late error", "none", read);
        } catch (SQLException error) {
            say("late error", error.getSQLState(), read, error.getMessage());
        }
        connection.rollback();
        connection.setAutoCommit(true);
        alive("late error", connection);
        try (Statement statement = connection.createStatement()) {
            fails("write", statement, "DELETE FROM " + schema + "._types");
        }
    }

    private static void fails(String section, Statement statement, String query) {
        try {
            statement.execute(query);
            say(section, "none", "");
        } catch (SQLException error) {
            say(section, error.getSQLState(), error.getMessage());
        }
    }

    private void alive(String section, Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
            ResultSet rows = statement.executeQuery("SELECT count(*) FROM " + schema + "._types")) {
            rows.next();
            say("after " + section, rows.getInt(1));
        }
    }
}
