using ReplicatedSqlite.Grpc;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>One of several clients of a database: leaves behind all that a connection can keep, and looks each time whether it meets anything of the others.</summary>
internal sealed class IsolatedClient(int owner, int seed, Session session, GrpcChannel channel)
{
    private const string Look =
        "SELECT (SELECT foreign_keys FROM pragma_foreign_keys), (SELECT defer_foreign_keys FROM pragma_defer_foreign_keys), " +
        "(SELECT recursive_triggers FROM pragma_recursive_triggers), (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints), " +
        "(SELECT legacy_alter_table FROM pragma_legacy_alter_table), 'A' LIKE 'a', (SELECT count(*) FROM sqlite_temp_schema), last_insert_rowid(), changes()";

    private static readonly (string Name, Func<IsolatedClient, Task> Run)[] _steps =
    [
        ("look", client => client.LookAsync()), ("insert", client => client.InsertAsync()), ("pragmas", client => client.PragmasAsync()),
        ("temp", client => client.TempAsync()), ("failure", client => client.FailAsync()), ("stream", client => client.LeaveStreamAsync()),
        ("transaction", client => client.TransactAsync()), ("abandoned", client => client.AbandonAsync()), ("snapshot", client => client.HoldSnapshotAsync()),
        ("deferred", client => client.DeferAsync()),
    ];

    private readonly Random _random = new((seed * 31) + owner);
    private int _next;

    public static IReadOnlyList<string> StepNames => [.. _steps.Select(step => step.Name)];

    public int Owner => owner;

    /// <summary>The ids of the rows that were answered as committed.</summary>
    public List<long> Written { get; } = [];

    public HashSet<string> Steps { get; } = [];

    public async Task RunAsync(int steps)
    {
        for (var i = 0; i < steps; i++)
        {
            var (name, run) = _steps[_random.Next(_steps.Length)];
            Steps.Add(name);
            try
            {
                await run(this);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}, client {owner}, step {i} ({name}): {e.Message}", e);
            }
        }
    }

    private async Task LookAsync() => CheckFresh(await session.QueryAsync(Look));

    private async Task InsertAsync()
    {
        // Its own rowid and count within the request, whatever others write.
        var answer = await session.BatchAsync([Insert(), "SELECT last_insert_rowid(), changes()"]);
        var id = answer.Results[0].Meta.LastRowId;
        Written.Add(id);
        Assert.Equal((id, 1L), (answer.Results[1].Rows[0].GetInt64(0), answer.Results[1].Rows[0].GetInt64(1)));
        Assert.Equal(owner, await session.QueryScalarAsync<long>("SELECT owner FROM rows WHERE id = ?", [id]));
    }

    private async Task PragmasAsync()
    {
        const string Set = "PRAGMA case_sensitive_like = 1; PRAGMA recursive_triggers = 1; PRAGMA ignore_check_constraints = 1; PRAGMA legacy_alter_table = 1; PRAGMA foreign_keys = 0; ";
        var answer = await session.ScriptAsync(Set + "SELECT 'A' LIKE 'a'");
        Assert.Equal(0, answer.Results[^1].Rows[0].GetInt64(0));
    }

    private async Task TempAsync()
    {
        var answer = await session.ScriptAsync(
            $"CREATE TEMP TABLE mine (x); INSERT INTO mine VALUES ({owner}); CREATE TEMP VIEW also AS SELECT x FROM mine; SELECT group_concat(x) FROM also");
        Assert.Equal($"{owner}", answer.Results[^1].Rows[0].GetString(0));
    }

    private async Task FailAsync()
    {
        var failure = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => session.ScriptAsync(
            $"PRAGMA foreign_keys = 0; CREATE TEMP TABLE mine (x); INSERT INTO rows (owner, v) VALUES ({owner}, 'never {owner} {++_next}'); INSERT INTO rows (owner, v) VALUES ({owner}, 'base 1')"));
        Assert.Equal(("SQLITE_CONSTRAINT_UNIQUE", 3), (failure.Code, failure.StatementIndex));
    }

    private async Task LeaveStreamAsync()
    {
        // A cursor that stays open for a while, and is left in the middle.
        await using var rows = session.StreamAsync("SELECT id, owner FROM rows WHERE owner = -1 ORDER BY id", null, new() { BatchRows = 10 }).GetAsyncEnumerator();
        var wanted = _random.Next(1, 50);
        for (var i = 1; i <= wanted; i++)
        {
            Assert.True(await rows.MoveNextAsync());
            Assert.Equal((i, -1L), (rows.Current.GetInt64(0), rows.Current.GetInt64(1)));
        }

        await LookAsync();
    }

    private async Task TransactAsync()
    {
        await using var transaction = await session.BeginTransactionAsync();
        Assert.Equal(Written.Count, await CountAsync());
        var kept = (await transaction.BatchAsync([Insert()])).Results[0].Meta.LastRowId;
        await transaction.ScriptAsync("SAVEPOINT s; PRAGMA case_sensitive_like = 1; CREATE TEMP TABLE mine AS SELECT 1 AS x");
        await transaction.BatchAsync([Insert()]);
        Assert.Equal(Written.Count + 2, await CountAsync());
        await transaction.ExecuteAsync("ROLLBACK TO s");
        await Assert.ThrowsAsync<ReplicatedSqliteException>(() => transaction.ExecuteAsync("INSERT INTO rows (owner, v) VALUES (0, 'bad')"));
        Assert.Equal(Written.Count + 1, await CountAsync());
        if (_random.Next(2) == 0)
        {
            await transaction.CommitAsync();
            Written.Add(kept);
        }
        else
        {
            await transaction.RollbackAsync();
        }

        Task<long> CountAsync() => transaction.QueryScalarAsync<long>("SELECT count(*) FROM rows WHERE owner = ?", [owner]);
    }

    private async Task AbandonAsync()
    {
        // Goes away in the middle, with a savepoint, a temp table, a pragma and an insert open.
        await using var transaction = await RawTransaction.BeginAsync(channel, new() { Database = "d" });
        var answer = await transaction.AskAsync(
            RawTransaction.Sql("SAVEPOINT s", "PRAGMA foreign_keys = 0", "CREATE TEMP TABLE mine (x)", $"INSERT INTO rows (owner, v) VALUES ({owner}, 'left {owner} {++_next}')"));
        while (answer[^1].Result is not null)
        {
            answer.Add((await transaction.NextAsync())!);
        }

        Assert.NotNull(answer[^1].Done);
    }

    private async Task HoldSnapshotAsync()
    {
        const string All = "SELECT count(*) || ' ' || max(id) FROM rows";
        await using var transaction = await session.BeginTransactionAsync(new() { ReadOnly = true });
        var before = await transaction.QueryScalarAsync<string>(All);
        CheckFresh(await transaction.QueryAsync(Look));
        await InsertAsync();
        Assert.Equal(before, await transaction.QueryScalarAsync<string>(All)); // nothing newer
        await transaction.RollbackAsync();
    }

    private async Task DeferAsync()
    {
        // Deferred until the end of that request only.
        var failure = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => session.ScriptAsync("PRAGMA defer_foreign_keys = 1; INSERT INTO child (r) VALUES (-5); SELECT 1"));
        Assert.Equal(("SQLITE_CONSTRAINT_FOREIGNKEY", -1), (failure.Code, failure.StatementIndex));
        failure = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => session.BatchAsync(["INSERT INTO child (r) VALUES (-5)", "SELECT 1"]));
        Assert.Equal(("SQLITE_CONSTRAINT_FOREIGNKEY", 0), (failure.Code, failure.StatementIndex));
    }

    private SqlStatement Insert() => new("INSERT INTO rows (owner, v) VALUES (?, ?)", [owner, $"{owner} {++_next}"]);

    /// <summary>As on a connection that nobody has used, whichever of the pool answered.</summary>
    private static void CheckFresh(ResultSet found) => Assert.Equal("1 0 0 0 0 1 0 0 0", string.Join(' ', Enumerable.Range(0, 9).Select(i => found.Rows[0][i])));
}
