using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Router;

/// <summary>What the statements of a request did, summed up.</summary>
internal record struct QueryWork
{
    public double SqlMs { get; private set; }

    public long RowsRead { get; private set; }

    public long RowsWritten { get; private set; }

    public void Add(Meta meta)
    {
        SqlMs += meta.SqlDurationMs;
        RowsRead += meta.RowsRead;
        RowsWritten += meta.RowsWritten;
    }

    public static QueryWork Of(ExecuteResponse response)
    {
        var work = default(QueryWork);
        foreach (var result in response.Results)
        {
            if (result.Meta is { } meta)
            {
                work.Add(meta);
            }
        }

        return work;
    }
}
