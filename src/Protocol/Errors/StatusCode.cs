namespace ReplicatedSqlite.Protocol;

/// <summary>The status codes of gRPC.</summary>
/// <remarks>Source: gRPC, "Status codes and their use in gRPC".</remarks>
public enum StatusCode
{
    /// <summary>No error.</summary>
    OK = 0,

    /// <summary>The caller gave up.</summary>
    Cancelled = 1,

    /// <summary>Nobody knows; here also: a write whose outcome is unknown.</summary>
    Unknown = 2,

    /// <summary>The request is wrong, whatever the state of the system.</summary>
    InvalidArgument = 3,

    /// <summary>The time was over.</summary>
    DeadlineExceeded = 4,

    /// <summary>What was asked for does not exist.</summary>
    NotFound = 5,

    /// <summary>What was to be created exists.</summary>
    AlreadyExists = 6,

    /// <summary>The caller may not do this.</summary>
    PermissionDenied = 7,

    /// <summary>Something ran out: room, quota, a limit.</summary>
    ResourceExhausted = 8,

    /// <summary>The state of the system does not allow it.</summary>
    FailedPrecondition = 9,

    /// <summary>Stopped in the middle by the system.</summary>
    Aborted = 10,

    /// <summary>Outside the valid range.</summary>
    OutOfRange = 11,

    /// <summary>Not built.</summary>
    Unimplemented = 12,

    /// <summary>Our own bug.</summary>
    Internal = 13,

    /// <summary>Not now; nothing was done, the call may be tried again.</summary>
    Unavailable = 14,

    /// <summary>Data is damaged.</summary>
    DataLoss = 15,

    /// <summary>The caller is not known.</summary>
    Unauthenticated = 16,
}
