using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>One database of the measured cluster, with the raw calls that the scenarios make.</summary>
internal sealed class BenchDatabase : IAsyncDisposable
{
    private readonly Dictionary<string, GrpcChannel> _channels;
    private readonly string _name;
    private readonly string _primary;

    private BenchDatabase(Dictionary<string, GrpcChannel> channels, string name, string primary)
    {
        _channels = channels;
        _name = name;
        _primary = primary;
    }

    public IEnumerable<string> Replicas => _channels.Keys.Where(region => region != _primary);

    public static async Task<BenchDatabase> CreateAsync(ServerProcess server, string regions, string name)
    {
        var channels = regions.Split(',').ToDictionary(region => region, region => new GrpcChannel(server.Addresses[region]));
        var primary = regions.Split(',')[0];
        await channels[primary].CallAsync(AdminMethods.CreateDatabase, new CreateDatabaseRequest { Name = name });
        return new BenchDatabase(channels, name, primary);
    }

    /// <summary>Runs one statement.</summary>
    public Task<ExecuteResponse> ExecuteAsync(string? region, string session, string sql, params Value[] parameters)
    {
        var request = new ExecuteRequest { Database = _name };
        var statement = new Statement { Sql = sql };
        statement.Positional.AddRange(parameters);
        request.Statements.Add(statement);
        if (session.Length > 0)
        {
            request.Read = new ReadOptions { Session = session };
        }

        return _channels[region ?? _primary].CallAsync(QueryMethods.Execute, request);
    }

    /// <summary>One statement with many parameter sets, as one transaction.</summary>
    public Task<ExecuteResponse> BatchAsync(string sql, IEnumerable<Value[]> parameterSets)
    {
        var request = new ExecuteRequest { Database = _name };
        foreach (var parameters in parameterSets)
        {
            var statement = new Statement { Sql = request.Statements.Count == 0 ? sql : "" };
            statement.Positional.AddRange(parameters);
            request.Statements.Add(statement);
        }

        return _channels[_primary].CallAsync(QueryMethods.Execute, request);
    }

    /// <summary>One integer, read at a copy that has reached the bookmark.</summary>
    public async Task<long> CountAsync(string region, string bookmark, string sql) =>
        (await ExecuteAsync(region, bookmark, sql)).Results[0].Rows.Columns[0].Integers[0];

    public async ValueTask DisposeAsync()
    {
        foreach (var channel in _channels.Values)
        {
            await channel.DisposeAsync();
        }
    }
}
