using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>Adds up what statements changed, as <c>RecordsAffected</c> counts: -1 as long as nothing could write.</summary>
internal struct ChangeCount
{
    private ChangeCount(int total) => Total = total;

    public static ChangeCount None => new(-1);

    public int Total { get; private set; }

    public long LastRowId { get; private set; }

    public void Add(Meta? meta, int columns, bool mayWrite) => Add(meta?.Changes ?? 0, meta?.LastRowId ?? 0, columns, mayWrite);

    public void Add(long changes, long lastRowId, int columns, bool mayWrite)
    {
        if (lastRowId != 0) LastRowId = lastRowId;
        if (!mayWrite || (columns > 0 && changes == 0)) return;
        Total = (int)Math.Min(Math.Max(Total, 0) + changes, int.MaxValue);
    }
}
