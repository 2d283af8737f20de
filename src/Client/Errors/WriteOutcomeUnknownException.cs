namespace ReplicatedSqlite;

/// <summary>A write may or may not have been committed. Transient only if it carried an idempotency key: made again with the same key it runs once.</summary>
public sealed class WriteOutcomeUnknownException : ReplicatedSqliteException
{
    internal WriteOutcomeUnknownException(Failure failure)
        : base(failure)
    {
    }
}
