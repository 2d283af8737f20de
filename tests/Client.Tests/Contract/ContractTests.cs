using System.Data.Common;
using Microsoft.Data.Sqlite;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Client.Tests;

/// <summary>What ADO.NET promises of any provider, tried on this one and on Microsoft.Data.Sqlite with a file: the same checks, in one run.</summary>
public sealed class ContractTests(LiveCluster cluster)
{
    /// <summary>What does not hold here, and why.</summary>
    private static readonly Dictionary<string, string> _expectedFailures = new()
    {
    };

    [Fact]
    public async Task The_provider_keeps_what_the_contract_promises_but_for_what_is_listed()
    {
        var checks = (List<ContractCheck>)[.. ProviderChecks.All(), .. StateChecks.All(), .. AccessChecks.All(), .. ColumnChecks.All(), .. ConversionChecks.All()];
        Assert.Equal(checks.Count, checks.Select(check => check.Name).Distinct().Count());
        var failures = new List<string>();
        var text = await cluster.ConnectionStringAsync();
        await using (var maker = ReplicatedSqliteDataSource.Create(text))
        await using (var make = maker.CreateCommand(ColumnChecks.Schema)) await make.ExecuteNonQueryAsync();
        foreach (var check in checks)
        {
            using var connection = new ReplicatedSqliteConnection(text);
            connection.Open();
            if (Try(check, connection) is { } failure) failures.Add($"{check.Name}: {failure}");
            connection.Close();
            connection.Open();
            Drop(connection);
        }

        var unexpected = failures.Where(failure => !_expectedFailures.Keys.Any(name => failure.StartsWith(name + ":", StringComparison.Ordinal))).ToList();
        Assert.True(unexpected.Count == 0, $"{unexpected.Count} of {checks.Count} checks fail:\n{string.Join('\n', unexpected)}");
        Assert.Equal(_expectedFailures.Count, failures.Count); // one that holds now is taken off the list

        TestContext.Current.TestOutputHelper?.WriteLine($"{checks.Count - failures.Count} of {checks.Count} checks hold");
        if (!Seeds.IsFull) return;
        var theirs = CountTheirs(checks);
        TestContext.Current.TestOutputHelper?.WriteLine($"with Microsoft.Data.Sqlite {typeof(SqliteConnection).Assembly.GetName().Version} {theirs}");
        Assert.True(checks.Count - failures.Count > theirs, $"{checks.Count - failures.Count} of {checks.Count}, Microsoft.Data.Sqlite {theirs}");
    }

    // Not in the usual run, for it takes as long again.
    private static int CountTheirs(List<ContractCheck> checks)
    {
        SQLitePCL.raw.SetProvider(new SQLitePCL.SQLite3Provider_e_sqlite3());
        var folder = Directory.CreateTempSubdirectory("rs-contract-");
        var template = Path.Combine(folder.FullName, "template.db");
        using (var maker = new SqliteConnection($"Data Source={template};Pooling=False"))
        {
            maker.Open();
            Contract.Run(maker, ColumnChecks.Schema);
        }

        var count = checks.Count(check =>
        {
            var file = Path.Combine(folder.FullName, Path.GetRandomFileName()); // a check may leave its own open
            File.Copy(template, file);
            var connection = new SqliteConnection($"Data Source={file};Pooling=False");
            connection.Open();
            var holds = Try(check, connection) is null;

            // What the check left open is finalized now. Later it could be while its connection is closed, and this build of SQLite lets one thread at a time use a connection; once the process ended here, perhaps by that.
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Try(new("its end", c => c.Dispose()), connection); // after some checks it throws
            return holds;
        });
        folder.Delete(recursive: true);
        return count;
    }

    private static string? Try(ContractCheck check, DbConnection connection)
    {
        try
        {
            check.Run(connection);
            return null;
        }
#pragma warning disable CA1031 // Whatever is thrown, the check does not hold.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return $"{e.GetType().Name} {e.Message.ReplaceLineEndings(" ")}";
        }
    }

    // One database serves all checks.
    private static void Drop(ReplicatedSqliteConnection connection)
    {
        using var tables = new ReplicatedSqliteCommand("SELECT group_concat('DROP TABLE ' || name, ';') FROM sqlite_schema WHERE type = 'table' AND name IN ('t', 'seen', 'other')", connection);
        if (tables.ExecuteScalar() is not string drops) return;
        using var drop = new ReplicatedSqliteCommand(drops, connection);
        drop.ExecuteNonQuery();
    }
}
