namespace ReplicatedSqlite.Cli;

/// <summary>What the process ends with; part of what scripts rely on.</summary>
internal static class ExitCode
{
    public const int Ok = 0;
    public const int SqlError = 1;
    public const int Usage = 2;
    public const int Unavailable = 3;
    public const int OutcomeUnknown = 4;
    public const int Cancelled = 130; // as a shell reports Ctrl-C

    public static int Of(ReplicatedSqliteException e) => e switch
    {
        WriteOutcomeUnknownException => OutcomeUnknown,
        UnavailableException or BookmarkTimeoutException => Unavailable,
        { Code: "DEADLINE_EXCEEDED" } => Unavailable,
        { CommitState: CommitState.Unknown } => OutcomeUnknown,
        _ => SqlError,
    };
}
