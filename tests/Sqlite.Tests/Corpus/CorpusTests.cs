using System.Text;
using Google.Protobuf;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>The statements of Statements/*.sql, one a line, give what the sqlite3 shell gave for them on the same SQLite: see record.sh.</summary>
public sealed class CorpusTests
{
    public static TheoryData<string> Files => [.. Names];

    private static IEnumerable<string> Names => Directory.GetFiles(Folder, "*.sql").Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal);

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Corpus", "Statements");

    [Theory]
    [MemberData(nameof(Files))]
    public void Columns_types_values_and_errors_are_those_of_the_shell(string file)
    {
        using var bench = new SqlBench();
        var expected = Expected(file);
        var differences = new StringBuilder();
        foreach (var (line, sql) in Statements(file))
        {
            // A read runs on both kinds of connection, the writer's first: it is where a script would run it.
            var runs = IsRead(bench, sql) ? [bench.Write, bench.Read] : new Func<SqlRequest, IReadOnlyList<Result>>[] { bench.Write };
            foreach (var run in runs)
            {
                var found = Run(bench, run, sql);
                if (found != expected[line])
                {
                    differences.AppendLine($"{file}.sql, line {line}: {sql}").AppendLine($"  expected: {expected[line]}").AppendLine($"  found:    {found}");
                }
            }
        }

        Assert.True(differences.Length == 0, differences.ToString());
    }

    [Fact]
    public void There_are_enough_statements() => Assert.InRange(Names.Sum(file => Statements(file).Count()), 500, int.MaxValue);

    private static IEnumerable<(int Line, string Sql)> Statements(string file) => File.ReadLines(Path.Combine(Folder, file + ".sql"))
        .Select((sql, index) => (Line: index + 1, Sql: sql))
        .Where(statement => !statement.Sql.StartsWith("--", StringComparison.Ordinal));

    private static Dictionary<int, string> Expected(string file)
    {
        var answers = new Dictionary<int, string>();
        foreach (var answer in ("\n" + File.ReadAllText(Path.Combine(Folder, file + ".expected"))).Split("\n#", StringSplitOptions.RemoveEmptyEntries))
        {
            var end = answer.IndexOf('\n', StringComparison.Ordinal);
            answers.Add(int.Parse(end < 0 ? answer : answer[..end], System.Globalization.CultureInfo.InvariantCulture), end < 0 ? "" : answer[(end + 1)..].TrimEnd('\n'));
        }

        return answers;
    }

    private static bool IsRead(SqlBench bench, string sql)
    {
        try
        {
            return bench.IsRead(SqlBench.Sql(sql));
        }
        catch (RequestException)
        {
            return true; // its error has to be the same on both
        }
    }

    private static string Run(SqlBench bench, Func<SqlRequest, IReadOnlyList<Result>> run, string sql)
    {
        try
        {
            return Show(bench, run(SqlBench.Sql(sql))[0]);
        }
        catch (RequestException error)
        {
            var code = SqliteCodes.Primary(error.Error.SqliteCode);
            return $"error: {error.Message}{(code is 0 or SqliteCodes.Error ? "" : $" ({code})")}";
        }
    }

    /// <summary>As the shell shows it in its mode 'quote', with headers; without rows it shows nothing.</summary>
    private static string Show(SqlBench bench, Result result)
    {
        if (result.Rows is null || result.Rows.RowCount == 0)
        {
            return "";
        }

        var lines = SqlBench.RowsOf(result.Rows).Select(row => string.Join(',', row.Select(value => Quote(bench, value))));
        return string.Join('\n', lines.Prepend(string.Join(',', result.Columns.Select(column => Quote(bench, column.Name)))));
    }

    private static string Quote(SqlBench bench, object? value) => value switch
    {
        null => "NULL",
        string text => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'",
        ByteString bytes => $"X'{Convert.ToHexStringLower(bytes.Span)}'",
        double number => Real(bench, number),
        _ => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture)!,
    };

    /// <summary>By SQLite's own printf, as the shell does: 17 digits that tell any two numbers apart.</summary>
    private static string Real(SqlBench bench, double number)
    {
        using var format = bench.WriterConnection.Connection.Prepare("SELECT printf('%!.20g', ?1)");
        var code = NativeMethods.sqlite3_bind_double(format.Handle, 1, number);
        Assert.True(code == SqliteCodes.Ok && format.Step());
        return format.GetText(0)!;
    }
}
