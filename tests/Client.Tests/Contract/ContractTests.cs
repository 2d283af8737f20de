using System.Data.Common;
using Microsoft.Data.Sqlite;

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
        var checks = ProviderChecks.All().Concat(ConversionChecks.All()).ToList();
        Assert.Equal(checks.Count, checks.Select(check => check.Name).Distinct().Count());
        var failures = new List<string>();
        var text = await cluster.ConnectionStringAsync();
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

        SQLitePCL.raw.SetProvider(new SQLitePCL.SQLite3Provider_e_sqlite3());
        var theirs = checks.Count(check =>
        {
            var file = Path.GetTempFileName();
            try
            {
                using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
                connection.Open();
                return Try(check, connection) is null;
            }
            finally
            {
                File.Delete(file);
            }
        });
        var ours = checks.Count - failures.Count;
        TestContext.Current.TestOutputHelper?.WriteLine($"{ours} of {checks.Count} checks hold; with Microsoft.Data.Sqlite {typeof(SqliteConnection).Assembly.GetName().Version} {theirs}");
        Assert.True(ours > theirs, $"{ours} of {checks.Count}, Microsoft.Data.Sqlite {theirs}");
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
