using Google.Protobuf;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>A database in a folder of its own, with its writer and its readers.</summary>
internal sealed class SqlBench : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("rs-statements-").FullName;
    private readonly QueryConnectionOptions _options;
    private QueryConnection? _reader;

    public SqlBench(string schema = "", QueryConnectionOptions? options = null, GroupWriterOptions? group = null)
    {
        _options = options ?? new QueryConnectionOptions();
        WriterConnection = QueryConnection.OpenForWriting(Path, create: true, _options);
        Writer = new GroupWriter(WriterConnection, group ?? new() { SlowMember = TimeSpan.FromMinutes(1) }); // which requests share a group must not depend on the machine
        Writer.Owner.Execute("CREATE TABLE _rs_requests (key TEXT PRIMARY KEY, answer TEXT)");
        if (schema.Length > 0)
        {
            Write(Script(schema));
        }
    }

    public string Path => System.IO.Path.Combine(_folder, "main.db");

    public QueryConnection WriterConnection { get; }

    public GroupWriter Writer { get; }

    public KnownTexts Known { get; } = new();

    public QueryConnection Reader => _reader ??= OpenReader();

    /// <summary>As a copy's pool opens its readers.</summary>
    public QueryConnection OpenReader() => QueryConnection.OpenForReading(Path, _options with { KeepsSnapshots = true });

    public static SqlRequest Sql(params string[] statements) => new([.. statements.Select(sql => new Statement { Sql = sql })]);

    public static SqlRequest Script(string sql, params object?[] values) => new([With(sql, values)], script: true);

    public static SqlRequest Bound(string sql, params object?[] values) => new([With(sql, values)]);

    public static Statement With(string sql, params object?[] values)
    {
        var statement = new Statement { Sql = sql };
        statement.Positional.Add(values.Select(ToValue));
        return statement;
    }

    public static Statement Named(string sql, params (string Name, object? Value)[] values)
    {
        var statement = new Statement { Sql = sql };
        foreach (var (name, value) in values)
        {
            statement.Named.Add(name, ToValue(value));
        }

        return statement;
    }

    public static Value ToValue(object? value) => value switch
    {
        null => new Value(),
        int number => new Value { Integer = number },
        long number => new Value { Integer = number },
        double number => new Value { Real = number },
        string text => new Value { Text = text },
        byte[] bytes => new Value { Blob = ByteString.CopyFrom(bytes) },
        _ => throw new ArgumentException($"no value of SQLite: {value.GetType()}"),
    };

    /// <summary>Runs a request alone on the writer; its error is thrown.</summary>
    public IReadOnlyList<Result> Write(SqlRequest request)
    {
        var member = Group(request)[0];
        return member.Error == null ? member.Results : throw member.Error;
    }

    /// <summary>Runs requests as groups, as many as it takes.</summary>
    public IReadOnlyList<MemberOutcome> Group(params SqlRequest[] requests)
    {
        var members = new List<MemberOutcome>();
        while (members.Count < requests.Length)
        {
            using var group = Writer.Run([.. requests.Skip(members.Count)]);
            members.AddRange(group.Members);
        }

        return members;
    }

    public IReadOnlyList<Result> Read(SqlRequest request)
    {
        Assert.True(PreparedRead.TryPrepare(Reader, request, Known, out var read), "It was taken for a write.");
        using (read)
        {
            return ResultCollector.Collect(read!, request.MaxResultBytes);
        }
    }

    public bool IsRead(SqlRequest request)
    {
        var isRead = PreparedRead.TryPrepare(Reader, request, Known, out var read);
        read?.Dispose();
        return isRead;
    }

    /// <summary>The rows of a query, each as its values joined by a bar.</summary>
    public string Rows(string sql) => Show(Read(Sql(sql))[0]);

    public static string Show(Result result) => Show(result.Rows);

    public static string Show(RowBatch? rows) => rows == null ? "" : string.Join(' ', RowsOf(rows).Select(row => string.Join('|', row.Select(ShowValue))));

    public static List<object?[]> RowsOf(RowBatch batch)
    {
        var rows = Enumerable.Range(0, (int)batch.RowCount).Select(_ => new object?[batch.Columns.Count]).ToList();
        for (var c = 0; c < batch.Columns.Count; c++)
        {
            var column = batch.Columns[c];
            Assert.Equal((int)batch.RowCount, column.Types_.Length);
            int integers = 0, reals = 0, texts = 0, blobs = 0;
            for (var r = 0; r < rows.Count; r++)
            {
                rows[r][c] = column.Types_[r] switch
                {
                    0 => null,
                    1 => column.Integers[integers++],
                    2 => column.Reals[reals++],
                    3 => column.Texts[texts++],
                    4 or 5 => column.Blobs[blobs++],
                    var type => throw new InvalidOperationException($"type {type}"),
                };
            }

            Assert.Equal((integers, reals, texts, blobs), (column.Integers.Count, column.Reals.Count, column.Texts.Count, column.Blobs.Count));
        }

        return rows;
    }

    public static RequestException Refused(Func<object?> run, string code)
    {
        var error = Assert.Throws<RequestException>(run);
        Assert.True(error.Error.Code == code, $"Expected {code}, found {error.Error.Code}: {error.Message}");
        return error;
    }

    public static RequestException Failed(MemberOutcome member, string code)
    {
        var error = Assert.IsType<RequestException>(member.Error);
        Assert.True(error.Error.Code == code, $"Expected {code}, found {error.Error.Code}: {error.Message}");
        Assert.Empty(member.Results);
        Assert.False(member.Wrote);
        return error;
    }

    public void Dispose()
    {
        _reader?.Dispose();
        Writer.Dispose();
        WriterConnection.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static string ShowValue(object? value) => value switch
    {
        null => "NULL",
        ByteString bytes => "x" + Convert.ToHexString(bytes.Span),
        _ => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture)!,
    };
}
