using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A cluster that gets nonsense, and what it has to keep in spite of it.</summary>
public sealed class FuzzCluster : IAsyncLifetime
{
    /// <summary>The database that gets it.</summary>
    public const string Name = "fuzz";

    // What a client may be told for something that it has sent; INTERNAL and DATA_LOSS would be ours.
    private static readonly StatusCode[] _answers =
    [
        StatusCode.InvalidArgument, StatusCode.FailedPrecondition, StatusCode.PermissionDenied, StatusCode.NotFound, StatusCode.AlreadyExists, StatusCode.DeadlineExceeded,
        StatusCode.ResourceExhausted, StatusCode.Unavailable, StatusCode.OutOfRange,
    ];

    private ClusterFixture? _cluster;

    internal ClusterFixture Cluster => _cluster!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await ClusterFixture.StartAsync();
        await Cluster.Client(0).Admin.CreateDatabaseAsync(Name);
        await Cluster.Database(0, Name).ScriptAsync("CREATE TABLE f (id INTEGER PRIMARY KEY, a, b); CREATE TABLE standard (x); INSERT INTO standard VALUES ('kept')");
        await Cluster.SettleAsync(Name);
    }

    public async ValueTask DisposeAsync() => await Cluster.DisposeAsync();

    /// <summary>Sends it and sees to it that what comes back is an answer.</summary>
    /// <param name="region">By which node.</param>
    /// <param name="request">What.</param>
    /// <param name="origin">How to make it again.</param>
    internal async Task<ExecuteResponse?> SendAsync(int region, ExecuteRequest request, string origin)
    {
        try
        {
            return await Cluster.Channel(region).CallAsync(QueryMethods.Execute, request).InTimeAsync();
        }
        catch (RpcException e)
        {
            var error = e.FindDetail<SqlError>();
            Assert.True(error is not null && _answers.Contains(e.StatusCode), $"{origin}: {e.StatusCode} {error?.Code}: {e.Detail}\n{Shown(request)}");
            Assert.True(error!.CommitState == Protocol.V1.CommitState.NotCommitted, $"{origin}: {error.Code}, {error.CommitState}\n{Shown(request)}");
            Assert.True(e.Detail.Length > 0, $"{origin}: {error.Code} says nothing.\n{Shown(request)}");
            return null;
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{origin}: no answer.\n{Shown(request)}");
        }
    }

    /// <summary>The database is whole, on every copy, and a usual request gives the usual answer.</summary>
    internal async Task IsWholeAsync(string origin)
    {
        var bookmark = await Cluster.SettleAsync(Name);
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            var session = Cluster.At(region, Name, bookmark);
            Assert.Equal("ok", await session.QueryScalarAsync<string>("PRAGMA integrity_check").InTimeAsync());
            var answer = await session.BatchAsync([new("SELECT x, last_insert_rowid(), total_changes() FROM standard"), new("SELECT count(*) FROM temp.sqlite_schema"), new("PRAGMA foreign_keys")]).InTimeAsync();
            var found = $"{answer.Results[0].Rows[0][0]}, {answer.Results[0].Rows[0][1]}, {answer.Results[0].Rows[0][2]}, {answer.Results[1].Rows[0][0]}, {answer.Results[2].Rows[0][0]}";
            Assert.True(found == "kept, 0, 0, 0, 1", $"{origin}: region {region} answers {found} to the usual request.");
        }

        await Cluster.Database(1, Name).ExecuteAsync("INSERT INTO standard SELECT 'new' WHERE 0").InTimeAsync();
        Cluster.Log.HasNoErrors();
    }

    private static string Shown(ExecuteRequest request)
    {
        var text = string.Join("\n", request.Statements.Select(statement => statement.Sql));
        return text.Length > 2000 ? text[..2000] + $"… ({text.Length} letters)" : text;
    }
}
