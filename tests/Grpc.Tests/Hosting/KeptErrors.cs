using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>What a server logs as an error: defects of ours, as clients' mistakes are none.</summary>
internal sealed class KeptErrors : ILoggerProvider, ILogger
{
    public ConcurrentQueue<string> Texts { get; } = new();

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel)) Texts.Enqueue($"{eventId} {formatter(state, exception)} {exception}");
    }

    public void Dispose()
    {
    }
}
