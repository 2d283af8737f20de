using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>The imports and exports of this node that somebody may still ask for: of each database the newest import, and some exports.</summary>
/// <remarks>Safe for use by any thread.</remarks>
internal sealed class TransferJobs
{
    private const int MostImports = 1024; // ended ones cost a few hundred bytes
    private const int MostExports = 64;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, TransferJob> _imports = [];
    private readonly List<TransferJob> _exports = [];

    /// <summary>Begins an import, unless one is under way for the database.</summary>
    /// <exception cref="ApiException">One is.</exception>
    public TransferJob BeginImport(string databaseId, Func<TransferJob> begin)
    {
        lock (_gate)
        {
            if (_imports.TryGetValue(databaseId, out var other) && other.IsUnderWay)
            {
                throw ApiException.Query("Currently processing a long-running import.");
            }

            if (_imports.Count >= MostImports && _imports.Values.FirstOrDefault(job => !job.IsUnderWay) is { } ended)
            {
                _imports.Remove(ended.DatabaseId);
            }

            return _imports[databaseId] = begin();
        }
    }

    /// <summary>The newest import; <see langword="null"/> if there was none.</summary>
    public TransferJob? Import(string databaseId)
    {
        lock (_gate)
        {
            return _imports.GetValueOrDefault(databaseId);
        }
    }

    /// <summary>Begins an export.</summary>
    public TransferJob BeginExport(Func<TransferJob> begin)
    {
        lock (_gate)
        {
            if (_exports.Count >= MostExports)
            {
                _exports.Remove(_exports.Find(job => !job.IsUnderWay) ?? _exports[0]);
            }

            var job = begin();
            _exports.Add(job);
            return job;
        }
    }

    /// <summary>The newest export of a database by its bookmark, and by what it leaves out where that is said.</summary>
    public TransferJob? Export(string databaseId, string atBookmark, SqlDumpOptions? options)
    {
        lock (_gate)
        {
            return _exports.FindLast(job => job.DatabaseId == databaseId && job.AtBookmark == atBookmark && (options is null || options.Equals(job.Options)));
        }
    }
}
