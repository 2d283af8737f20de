namespace ReplicatedSqlite.Sqlite;

/// <summary>The numbers of <c>sqlite3_limit</c>, by SQLite's names. Source: sqlite3.h, "Run-Time Limit Categories".</summary>
internal static class SqliteLimits
{
    public const int Length = 0; // of a value, and of a row
    public const int SqlLength = 1;
    public const int Column = 2;
    public const int ExpressionDepth = 3;
    public const int CompoundSelect = 4;
    public const int VdbeOp = 5;
    public const int FunctionArgument = 6;
    public const int Attached = 7;
    public const int LikePatternLength = 8;
    public const int VariableNumber = 9;
    public const int TriggerDepth = 10;
    public const int WorkerThreads = 11;
}
