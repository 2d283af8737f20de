namespace ReplicatedSqlite.Grpc;

/// <summary>Why a call was ended from this side.</summary>
internal enum EndReason
{
    None,
    Deadline,
    Caller,
    Disposed,
}
