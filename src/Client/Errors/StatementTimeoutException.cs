namespace ReplicatedSqlite;

/// <summary>The SQL, or the call that carried it, ran longer than it was given. Nothing was written.</summary>
public sealed class StatementTimeoutException : ReplicatedSqliteException
{
    internal StatementTimeoutException(Failure failure)
        : base(failure)
    {
    }
}
