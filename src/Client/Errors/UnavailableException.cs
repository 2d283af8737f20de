namespace ReplicatedSqlite;

/// <summary>The database or the cluster cannot answer now. Nothing was written; the call may be made again.</summary>
public sealed class UnavailableException : ReplicatedSqliteException
{
    internal UnavailableException(Failure failure)
        : base(failure)
    {
    }
}
