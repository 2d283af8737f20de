using System.Diagnostics;

namespace ReplicatedSqlite;

/// <summary>One operation as traces, metrics and the log show it. Costs two checks where nobody listens.</summary>
internal struct OperationTrace
{
    private readonly Activity? _activity;
    private readonly string? _database;
    private readonly string? _operation;
    private readonly ClientLog? _log;
    private readonly long _started;
    private string? _error;
    private long _rows;

    private OperationTrace(string database, string sql, int statements, string session, ClientLog? log)
    {
        _database = database;
        _log = log;
        var shape = SqlShape.Of(sql);
        _operation = statements > 1 ? "BATCH" : shape.Operation;
        _started = Stopwatch.GetTimestamp();
        _rows = -1;
        _activity = ClientTelemetry.Source.StartActivity(_operation.Length > 0 ? $"{_operation} {database}" : database, ActivityKind.Client);
        if (_activity is not { IsAllDataRequested: true }) return;
        _activity.SetTag("db.system.name", ClientTelemetry.System);
        _activity.SetTag("db.namespace", database);
        if (_operation.Length > 0) _activity.SetTag("db.operation.name", _operation);
        _activity.SetTag("db.query.text", SqlShape.WithoutValues(sql));
        if (statements > 1) _activity.SetTag("db.operation.batch.size", statements);
        if (session.Length > 0) _activity.SetTag("replicatedsqlite.session", session);
    }

    /// <summary>Somebody listens.</summary>
    public readonly bool IsOn => _operation is not null;

    public static OperationTrace Start(string database, string sql, int statements, string session, ClientLog? log) =>
        ClientTelemetry.Source.HasListeners() || ClientTelemetry.Duration.Enabled || log is { IsOn: true }
            ? new OperationTrace(database, sql, statements, session, log)
            : default;

    /// <summary>A state that was seen.</summary>
    public readonly void Seen(Bookmark bookmark)
    {
        if (_activity is { IsAllDataRequested: true }) _activity.SetTag("replicatedsqlite.bookmark", bookmark.ToString());
    }

    /// <summary>Rows that came.</summary>
    public void Returned(long rows)
    {
        if (IsOn) _rows = Math.Max(_rows, 0) + rows;
    }

    public void Failed(Exception exception)
    {
        if (!IsOn) return;
        _error = exception is ReplicatedSqliteException known ? known.Code : exception.GetType().FullName!;
        if (_activity is null) return;
        _activity.SetStatus(ActivityStatusCode.Error, exception.Message);
        _activity.SetTag("error.type", _error);
        if (exception is ReplicatedSqliteException) _activity.SetTag("db.response.status_code", _error);
    }

    /// <summary>It is over: everything is told before this returns.</summary>
    public readonly void End()
    {
        if (!IsOn) return;
        var elapsed = Stopwatch.GetElapsedTime(_started);
        if (_activity is not null)
        {
            if (_rows >= 0) _activity.SetTag("db.response.returned_rows", _rows);
            _activity.Dispose();
        }

        _log?.Ended(_database!, _operation!, elapsed, _error);
        if (!ClientTelemetry.Duration.Enabled) return;
        var tags = new TagList
        {
            { "db.system.name", ClientTelemetry.System },
            { "db.namespace", _database },
            { "db.operation.name", _operation },
        };
        if (_error is not null) tags.Add("error.type", _error);
        ClientTelemetry.Duration.Record(elapsed.TotalSeconds, tags);
        if (_rows >= 0) ClientTelemetry.ReturnedRows.Record(_rows, tags);
    }
}
