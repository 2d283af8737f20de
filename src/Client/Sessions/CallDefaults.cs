namespace ReplicatedSqlite;

/// <summary>What calls ask for when they do not say it themselves: a connection string's part of the options.</summary>
internal sealed record CallDefaults(QueryOptions Read, TimeSpan? CallTimeout, bool IdempotentWrites)
{
    public static CallDefaults None { get; } = new(new QueryOptions(), null, false);

    /// <summary>The options of a call, with the defaults where it leaves something open.</summary>
    public QueryOptions? Apply(QueryOptions? options, bool mayWrite)
    {
        if (this == None) return options;
        var key = options?.IdempotencyKey ?? (IdempotentWrites && mayWrite ? NewKey() : null);
        if (options is null) return Read with { IdempotencyKey = key, CallTimeout = CallTimeout };
        return options with
        {
            IdempotencyKey = key,
            CallTimeout = options.CallTimeout ?? CallTimeout,
            WaitTimeout = options.WaitTimeout ?? Read.WaitTimeout,
            OnWaitTimeout = options.OnWaitTimeout == OnWaitTimeout.Unspecified ? Read.OnWaitTimeout : options.OnWaitTimeout,
            MaxStaleness = options.MaxStaleness ?? Read.MaxStaleness,
        };
    }

    /// <summary>A key that tells its age, so that the server knows for certain whether it has seen it.</summary>
    public static string NewKey() => Guid.CreateVersion7().ToString("N");
}
