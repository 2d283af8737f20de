using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>Puts requests together.</summary>
internal static class QueryMessages
{
    private static readonly QueryOptions _noOptions = new();

    public static ExecuteRequest Execute(string database, IReadOnlyList<SqlStatement> statements, bool script, string session, QueryOptions? options)
    {
        var request = new ExecuteRequest
        {
            Database = database,
            Read = Read(session, options),
            Script = script,
            IdempotencyKey = options?.IdempotencyKey ?? "",
            Timeout = Duration(options?.SqlTimeout),
        };
        foreach (var statement in statements) request.Statements.Add(statement.ToMessage());
        return request;
    }

    public static StreamRequest Stream(string database, IReadOnlyList<SqlStatement> statements, bool script, string session, QueryOptions? options)
    {
        var request = new StreamRequest
        {
            Database = database,
            Read = Read(session, options),
            Script = script,
            IdempotencyKey = options?.IdempotencyKey ?? "",
            Timeout = Duration(options?.SqlTimeout),
            BatchRows = checked((uint)(options?.BatchRows ?? 0)),
        };
        foreach (var statement in statements) request.Statements.Add(statement.ToMessage());
        return request;
    }

    public static TransactRequest Begin(string database, string session, SqlTransactionOptions options) => new()
    {
        Begin = new()
        {
            Database = database,
            ReadOnly = options.ReadOnly,
            IdleTimeout = Duration(options.IdleTimeout),
            TotalTimeout = Duration(options.TotalTimeout),
            IdempotencyKey = options.IdempotencyKey ?? "",
            Read = Read(session, options.ToReadOptions()),
        },
    };

    public static DescribeRequest Describe(string database, SqlStatement statement, string session, QueryOptions? options) =>
        new() { Database = database, Sql = statement.Sql, Read = Read(session, options) };

    public static GetOutcomeRequest GetOutcome(string database, string idempotencyKey, TimeSpan? sentWithin) =>
        new() { Database = database, IdempotencyKey = idempotencyKey, SentWithin = Duration(sentWithin) };

    public static bool MayWrite(IReadOnlyList<SqlStatement> statements, QueryOptions? options) =>
        options?.AsOf is null && !statements.All(static statement => SqlShape.Of(statement.Sql).IsSurelyRead);

    public static CallNature NatureOf(IReadOnlyList<SqlStatement> statements, QueryOptions? options) =>
        new(MayWrite(statements, options), !string.IsNullOrEmpty(options?.IdempotencyKey));

    /// <param name="session">Where the session stands.</param>
    /// <param name="options">The others.</param>
    /// <param name="last">Of a call that is over, to be filled again.</param>
    public static ReadOptions Read(string session, QueryOptions? options, ReadOptions? last = null)
    {
        var read = last ?? new ReadOptions();
        read.Session = session;
        if (options is null && last is null) return read;
        options ??= _noOptions;
        read.WaitTimeout = Duration(options.WaitTimeout);
        read.OnWaitTimeout = (Protocol.V1.OnWaitTimeout)options.OnWaitTimeout;
        read.MaxStaleness = Duration(options.MaxStaleness);
        read.AsOf = options.AsOf?.ToString() ?? "";
        return read;
    }

    public static Duration? Duration(TimeSpan? time) => time is { } value ? Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(value) : null;
}
