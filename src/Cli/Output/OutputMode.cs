namespace ReplicatedSqlite.Cli;

/// <summary>How results are written.</summary>
internal enum OutputMode
{
    Table,
    Json,
    Csv,
    Line,
}
