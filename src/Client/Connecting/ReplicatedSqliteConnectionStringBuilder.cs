using System.Collections;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;

namespace ReplicatedSqlite;

/// <summary>Reads and writes connection strings, for example <c>Endpoint=127.0.0.1:7101;Database=shop</c>. An unknown keyword is refused.</summary>
[SuppressMessage("Naming", "CA1710", Justification = "ADO.NET's own name for it.")]
public sealed class ReplicatedSqliteConnectionStringBuilder : DbConnectionStringBuilder
{
    /// <summary>An empty one.</summary>
    public ReplicatedSqliteConnectionStringBuilder()
    {
    }

    /// <summary>One that holds what the text says.</summary>
    /// <exception cref="ArgumentException">A keyword is unknown, or a value is none of its keyword.</exception>
    public ReplicatedSqliteConnectionStringBuilder(string? connectionString) => ConnectionString = connectionString;

    /// <summary>The nodes, separated by commas: <c>HOST:PORT</c>, <c>http://HOST:PORT</c> or <c>https://HOST:PORT</c>. The nearest that answers is asked.</summary>
    public string Endpoint { get => Get<string>(nameof(Endpoint)); set => this[nameof(Endpoint)] = value; }

    /// <summary>The database's name or id.</summary>
    public string Database { get => Get<string>(nameof(Database)); set => this[nameof(Database)] = value; }

    /// <summary>How each connection's session starts at <c>Open</c>: <c>first-primary</c>, <c>first-unconstrained</c> or a bookmark. Empty (the default): no session, everything is asked at the primary.</summary>
    public string Session { get => Get<string>(nameof(Session)); set => this[nameof(Session)] = value; }

    /// <summary>Sent as a bearer token with every call.</summary>
    public string Token { get => Get<string>(nameof(Token)); set => this[nameof(Token)] = value; }

    /// <summary>Endpoints without a scheme are asked over TLS. Default false.</summary>
    public bool Tls { get => Get<bool>(nameof(Tls)); set => this[nameof(Tls)] = value; }

    /// <summary>A PEM file with the authorities that sign the nodes' certificates. Empty (the default): those that the machine trusts.</summary>
    public string AuthorityFile { get => Get<string>("Authority File"); set => this["Authority File"] = value; }

    /// <summary>Longest time for a command, in seconds; 0: no limit. Default 30.</summary>
    public int CommandTimeout { get => Get<int>("Command Timeout"); set => this["Command Timeout"] = value; }

    /// <summary>Longest time to connect to a node. Default 5 s.</summary>
    public TimeSpan ConnectTimeout { get => Get<TimeSpan>("Connect Timeout"); set => this["Connect Timeout"] = value; }

    /// <summary>How long a failed call is made again: reads, writes with a key, and what certainly did nothing. Default 10 s; 0: not at all.</summary>
    public TimeSpan RetryTimeout { get => Get<TimeSpan>("Retry Timeout"); set => this["Retry Timeout"] = value; }

    /// <summary>Longest wait for a copy to reach the session's bookmark. Default 0: the server's choice, 5 s.</summary>
    public TimeSpan BookmarkTimeout { get => Get<TimeSpan>("Bookmark Timeout"); set => this["Bookmark Timeout"] = value; }

    /// <summary>What happens then: the primary answers (the default), or the read fails.</summary>
    public OnWaitTimeout OnBookmarkTimeout { get => Get<OnWaitTimeout>("On Bookmark Timeout"); set => this["On Bookmark Timeout"] = value; }

    /// <summary>A copy answers only if it had word from the primary within this time. Default 0: any.</summary>
    public TimeSpan MaxStaleness { get => Get<TimeSpan>("Max Staleness"); set => this["Max Staleness"] = value; }

    /// <summary>Each write carries a key of its own, so that it may be made again after a failure and still runs once. Default false.</summary>
    public bool IdempotentWrites { get => Get<bool>("Idempotent Writes"); set => this["Idempotent Writes"] = value; }

    /// <summary>Longest pause between two steps of a transaction. Default 0: the server's choice, 5 s.</summary>
    public TimeSpan TransactionIdleTimeout { get => Get<TimeSpan>("Transaction Idle Timeout"); set => this["Transaction Idle Timeout"] = value; }

    /// <summary>Longest time of a transaction. Default 0: the server's choice, 30 s.</summary>
    public TimeSpan TransactionTimeout { get => Get<TimeSpan>("Transaction Timeout"); set => this["Transaction Timeout"] = value; }

    /// <inheritdoc/>
    public override bool IsFixedSize => true;

    /// <inheritdoc/>
    public override ICollection Keys => ConnectionKeyword.All.Select(keyword => keyword.Name).ToArray();

    /// <inheritdoc/>
    public override ICollection Values => ConnectionKeyword.All.Select(keyword => this[keyword.Name]).ToArray();

    /// <summary>A keyword's value in its own type; what is unset reads as the default. Null takes it away.</summary>
    [AllowNull]
    public override object this[string keyword]
    {
        get
        {
            var known = ConnectionKeyword.Get(keyword);
            return base.TryGetValue(known.Name, out var text) && text is string value ? known.Parse(value) : known.Default;
        }

        set
        {
            var known = ConnectionKeyword.Get(keyword);
            if (value is null)
            {
                base.Remove(known.Name);
                return;
            }

            var text = ConnectionValue.Write(value);
            base[known.Name] = ConnectionValue.Write(known.Parse(text));
        }
    }

    /// <inheritdoc/>
    public override bool ContainsKey(string keyword)
    {
        ArgumentNullException.ThrowIfNull(keyword);
        return ConnectionKeyword.Find(keyword) is not null;
    }

    /// <inheritdoc/>
    public override bool Remove(string keyword)
    {
        ArgumentNullException.ThrowIfNull(keyword);
        return ConnectionKeyword.Find(keyword) is { } known && base.Remove(known.Name);
    }

    /// <inheritdoc/>
    public override bool ShouldSerialize(string keyword) => ConnectionKeyword.Find(keyword) is { } known && base.ShouldSerialize(known.Name);

    /// <inheritdoc/>
    public override bool TryGetValue(string keyword, [NotNullWhen(true)] out object? value)
    {
        ArgumentNullException.ThrowIfNull(keyword);
        value = ConnectionKeyword.Find(keyword) is { } known ? this[known.Name] : null;
        return value is not null;
    }

    /// <summary>The text without its token, to be shown.</summary>
    internal string WithoutSecrets()
    {
        var shown = new ReplicatedSqliteConnectionStringBuilder(ConnectionString);
        shown.Remove(nameof(Token));
        return shown.ConnectionString;
    }

    /// <summary>The addresses of the nodes.</summary>
    /// <exception cref="ArgumentException">There is none, or one is no address.</exception>
    internal Uri[] Addresses()
    {
        var endpoints = Endpoint.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (endpoints.Length == 0)
            throw new ArgumentException("The connection string names no endpoint; wanted is, for example, Endpoint=127.0.0.1:7101;Database=shop.", nameof(Endpoint));
        return [.. endpoints.Select(endpoint => ReplicatedSqlite.Endpoint.Parse(Tls && !endpoint.Contains("://", StringComparison.Ordinal) ? "https://" + endpoint : endpoint))];
    }

    private T Get<T>(string keyword) => (T)this[keyword];
}
