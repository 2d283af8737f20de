using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ReplicatedSqlite.Follower.Tests;

/// <summary>Keeps the ids of what was logged as an error or worse.</summary>
internal sealed class ToldEvents : ILogger
{
    private readonly ConcurrentQueue<int> _ids = new();

    public IReadOnlyList<int> Ids => [.. _ids];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            _ids.Enqueue(eventId.Id);
        }
    }
}
