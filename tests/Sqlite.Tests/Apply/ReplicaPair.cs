namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>A primary's file with its writer and capture, and a replica's file with its applier.</summary>
internal sealed class ReplicaPair : IDisposable
{
    public ReplicaPair(string folder, int pageSizeBytes = 4096)
    {
        PrimaryPath = Path.Combine(folder, "primary.db");
        ReplicaPath = Path.Combine(folder, "replica.db");
        DatabaseFile.CreateEmpty(PrimaryPath, pageSizeBytes);
        DatabaseFile.CreateEmpty(ReplicaPath, pageSizeBytes);
        Writer = SqliteConnection.Open(PrimaryPath);
        Writer.Execute("PRAGMA synchronous=OFF");
        Capture = new WalCapture(Writer);
        ApplierConnection = SqliteConnection.Open(ReplicaPath);
        ApplierConnection.Execute("PRAGMA synchronous=OFF"); // tests restart the WAL on it often
        Applier = WalIndexApplier.Open(ApplierConnection);
    }

    public string PrimaryPath { get; }

    public string ReplicaPath { get; }

    public SqliteConnection Writer { get; }

    public WalCapture Capture { get; }

    public SqliteConnection ApplierConnection { get; }

    public WalIndexApplier Applier { get; }

    public PageSet Pages { get; } = new();

    /// <summary>Commits on the primary and brings it to the replica, hidden.</summary>
    /// <returns>The ordinal, or 0 when nothing was committed.</returns>
    public long Ship(string sql)
    {
        Writer.Execute(sql);
        return Ship();
    }

    public long Ship() => Capture.Capture(Pages) ? Append(Applier, Pages) : 0;

    public static long Append(IPageApplier applier, PageSet pages)
    {
        applier.BeginTransaction(pages.DatabaseSizePages);
        for (var i = 0; i < pages.Count; i++)
        {
            applier.WritePage(pages.PageNumber(i), pages.Page(i));
        }

        return applier.EndTransaction();
    }

    public void Dispose()
    {
        Applier.Dispose();
        ApplierConnection.Dispose();
        Capture.Dispose();
        Writer.Dispose();
    }
}
