using System.Collections.Immutable;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>A database as etcd has it.</summary>
/// <param name="Record">It.</param>
/// <param name="Revision">etcd's revision that wrote it.</param>
internal readonly record struct MirroredDatabase(DatabaseRecord Record, long Revision);

/// <summary>etcd's catalogue in this node's memory. News of a database may come in any order, and twice: the greatest revision counts, and callbacks come once for each.</summary>
/// <remarks>Safe for use by any thread. Readers take the published catalogue without a lock. Callbacks run outside of it, on the thread that brings the news.</remarks>
internal sealed class CatalogueMirror
{
    private readonly Lock _changing = new();
    private readonly Dictionary<DatabaseId, long> _revisions = []; // under _changing
    private HashSet<DatabaseId> _unsaved = []; // changed since they were drained; under _changing
    private Dictionary<DatabaseId, long> _deleted = []; // with the revision of the deletion; under _changing
    private Catalogue _current = Catalogue.Empty; // written under _changing; read by any thread
    private ImmutableList<Action<CatalogueChange>> _watchers = []; // written under _changing; read by any thread

    public Catalogue Current => Volatile.Read(ref _current);

    public bool IsDeleted(DatabaseId id)
    {
        lock (_changing)
        {
            return _deleted.ContainsKey(id);
        }
    }

    public MirroredDatabase? Find(DatabaseId id)
    {
        lock (_changing)
        {
            return _current.Find(id) is { } record ? new(record, _revisions[id]) : null;
        }
    }

    /// <summary>A database was created or changed.</summary>
    public void Put(DatabaseRecord record, long revision)
    {
        lock (_changing)
        {
            if (_deleted.ContainsKey(record.Id) || _revisions.GetValueOrDefault(record.Id) >= revision)
            {
                return;
            }

            _revisions[record.Id] = revision;
            _unsaved.Add(record.Id);
            Volatile.Write(ref _current, _current.With(record));
        }

        Notify(new(record.Id, record));
    }

    /// <summary>A database was deleted, for ever.</summary>
    public void Delete(DatabaseId id, long revision)
    {
        lock (_changing)
        {
            if (!_deleted.TryAdd(id, revision))
            {
                return;
            }

            _revisions.Remove(id);
            _unsaved.Add(id);
            Volatile.Write(ref _current, _current.Without(id));
        }

        Notify(new(id, null));
    }

    /// <summary>The mark of an old deletion was removed.</summary>
    public void Forget(DatabaseId id)
    {
        lock (_changing)
        {
            if (_deleted.Remove(id))
            {
                _unsaved.Add(id);
            }
        }
    }

    /// <summary>Its record is gone and nothing says that it was deleted: nobody finds it any more, and nothing is removed anywhere.</summary>
    /// <returns>Whether it was there.</returns>
    public bool Drop(DatabaseId id, long revision)
    {
        lock (_changing)
        {
            if (!_revisions.TryGetValue(id, out var known) || known >= revision)
            {
                return false;
            }

            _revisions.Remove(id);
            Volatile.Write(ref _current, _current.Without(id));
            return true;
        }
    }

    /// <summary>The deletions that were made longest ago, of those beyond a number.</summary>
    public IReadOnlyList<DatabaseId> OldestDeletions(int beyond, int count)
    {
        lock (_changing)
        {
            return _deleted.Count <= beyond ? [] : [.. _deleted.OrderBy(static deletion => deletion.Value).Take(Math.Min(count, _deleted.Count - beyond)).Select(static deletion => deletion.Key)];
        }
    }

    /// <summary>The whole catalogue, read at one revision; what is known from later stays.</summary>
    /// <param name="loaded">All of it.</param>
    /// <param name="isOtherHistory">Revisions that are known mean nothing in it: everything is taken as it is.</param>
    /// <returns>Ids that were known and are there no more, although nothing says that they were deleted.</returns>
    public IReadOnlyList<DatabaseId> Load(LoadedCatalogue loaded, bool isOtherHistory)
    {
        var changes = new List<CatalogueChange>();
        var dropped = new List<DatabaseId>();
        lock (_changing)
        {
            var before = _current;
            var later = isOtherHistory ? [] : _deleted.Where(deletion => deletion.Value > loaded.Revision).ToList();
            var wereDeleted = _deleted;
            _deleted = new Dictionary<DatabaseId, long>(loaded.Deletions);
            later.ForEach(deletion => _deleted.TryAdd(deletion.Key, deletion.Value));
            _unsaved.UnionWith(_deleted.Keys.Where(id => !wereDeleted.ContainsKey(id)));
            _unsaved.UnionWith(wereDeleted.Keys.Where(id => !_deleted.ContainsKey(id)));
            var records = new Dictionary<DatabaseId, DatabaseRecord>(loaded.Databases.Count);
            foreach (var (id, record, revision) in loaded.Databases)
            {
                if (_deleted.ContainsKey(id))
                {
                    continue;
                }

                var old = before.Find(id);
                if (record is null || (!isOtherHistory && _revisions.GetValueOrDefault(id) > revision))
                {
                    records[id] = old!; // as it is known, or newer than what was loaded
                    continue;
                }

                records[id] = record;
                var isSame = old is not null && (isOtherHistory ? StoredDatabase.AreSame(old, record) : _revisions.GetValueOrDefault(id) == revision);
                _revisions[id] = revision;
                _unsaved.Add(id);
                if (!isSame)
                {
                    changes.Add(new(id, record));
                }
            }

            foreach (var old in before.All.Where(old => !records.ContainsKey(old.Id)))
            {
                if (_deleted.ContainsKey(old.Id))
                {
                    changes.Add(new(old.Id, null));
                }
                else if (!isOtherHistory && _revisions[old.Id] > loaded.Revision)
                {
                    records[old.Id] = old;
                    continue;
                }
                else
                {
                    dropped.Add(old.Id);
                }

                _revisions.Remove(old.Id);
            }

            Volatile.Write(ref _current, Catalogue.Of([.. records.Values]));
        }

        changes.ForEach(Notify);
        return dropped;
    }

    /// <summary>What changed since this was asked last: with its record, or deleted, or forgotten.</summary>
    public IReadOnlyList<RememberedDatabase> DrainUnsaved()
    {
        lock (_changing)
        {
            var drained = _unsaved
                .Select(id => _current.Find(id) is { } record ? new RememberedDatabase(id, record, _revisions[id])
                    : _deleted.TryGetValue(id, out var revision) ? new RememberedDatabase(id, null, revision)
                    : new RememberedDatabase(id, null, 0))
                .ToList();
            _unsaved = []; // after a load it was large
            return drained;
        }
    }

    /// <summary>What was drained could not be saved.</summary>
    public void MarkUnsaved(IEnumerable<RememberedDatabase> drained)
    {
        lock (_changing)
        {
            _unsaved.UnionWith(drained.Select(static database => database.Id));
        }
    }

    public IDisposable Watch(Action<CatalogueChange> onChange)
    {
        lock (_changing)
        {
            _watchers = _watchers.Add(onChange);
        }

        return new Subscription(this, onChange);
    }

    private void Notify(CatalogueChange change)
    {
        foreach (var watcher in Volatile.Read(ref _watchers))
        {
            watcher(change);
        }
    }

    private sealed class Subscription(CatalogueMirror owner, Action<CatalogueChange> onChange) : IDisposable
    {
        public void Dispose()
        {
            lock (owner._changing)
            {
                owner._watchers = owner._watchers.Remove(onChange);
            }
        }
    }
}

/// <summary>The catalogue as it was at one revision.</summary>
/// <param name="Revision">When.</param>
/// <param name="Databases">Each with the revision that wrote it; no record where that is the one that is known.</param>
/// <param name="Deletions">The deleted ones that are remembered, with the revisions of their deletions.</param>
internal sealed record LoadedCatalogue(
    long Revision, IReadOnlyList<(DatabaseId Id, DatabaseRecord? Record, long Revision)> Databases, IReadOnlyDictionary<DatabaseId, long> Deletions);
