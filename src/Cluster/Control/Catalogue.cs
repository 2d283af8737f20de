using System.Collections.Immutable;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>The catalogue as one immutable value. Readers take the reference once and see one state.</summary>
internal sealed class Catalogue
{
    private readonly ImmutableSortedSet<Entry> _byName; // in ordinal order, for lists; a hash table beside it would cost more memory than it saves time
    private readonly ImmutableDictionary<DatabaseId, DatabaseRecord> _byId;

    private Catalogue(ImmutableSortedSet<Entry> byName, ImmutableDictionary<DatabaseId, DatabaseRecord> byId) => (_byName, _byId) = (byName, byId);

    public static Catalogue Empty { get; } = Of([]);

    /// <summary>Number of databases.</summary>
    public int Count => _byId.Count;

    /// <summary>All of them, in no order.</summary>
    public IEnumerable<DatabaseRecord> All => _byId.Values;

    public static Catalogue Of(IReadOnlyList<DatabaseRecord> databases) => new(
        databases.Select(static database => new Entry(database.Name, database)).ToImmutableSortedSet(ByName.Instance),
        databases.ToImmutableDictionary(static database => database.Id));

    public DatabaseRecord? Find(string nameOrId)
    {
        // A name may look like a UUID; the id wins, since only it is unique for ever.
        if (nameOrId.Length == 36 && Guid.TryParse(nameOrId, out var guid) && _byId.TryGetValue(new DatabaseId(guid), out var byId))
        {
            return byId;
        }

        return _byName.TryGetValue(new Entry(nameOrId, null), out var found) ? found.Database : null;
    }

    public DatabaseRecord? Find(DatabaseId id) => _byId.GetValueOrDefault(id);

    public IReadOnlyList<DatabaseRecord> List(string prefix, string after, int count)
    {
        var found = new List<DatabaseRecord>();
        var start = string.CompareOrdinal(after, prefix) > 0 ? after : prefix;
        var index = _byName.IndexOf(new Entry(start, null)); // the complement of where it would stand, when there is none
        for (index = index < 0 ? ~index : index; index < _byName.Count && found.Count < count; index++)
        {
            var (name, database) = _byName[index];
            if (!name.StartsWith(prefix, StringComparison.Ordinal))
            {
                break;
            }

            if (string.CompareOrdinal(name, after) > 0)
            {
                found.Add(database!);
            }
        }

        return found;
    }

    public Catalogue With(DatabaseRecord database)
    {
        var clean = Without(database.Id);
        var entry = new Entry(database.Name, database);
        return new(clean._byName.Remove(entry).Add(entry), clean._byId.SetItem(database.Id, database)); // who had the name before has another one by now
    }

    public Catalogue Without(DatabaseId id)
    {
        if (!_byId.TryGetValue(id, out var old))
        {
            return this;
        }

        // Its name may be another's by now: news of two databases do not come in order.
        var entry = new Entry(old.Name, null);
        return new(_byName.TryGetValue(entry, out var holder) && holder.Database!.Id == id ? _byName.Remove(entry) : _byName, _byId.Remove(id));
    }

    private readonly record struct Entry(string Name, DatabaseRecord? Database);

    private sealed class ByName : IComparer<Entry>
    {
        public static ByName Instance { get; } = new();

        public int Compare(Entry x, Entry y) => string.CompareOrdinal(x.Name, y.Name);
    }
}
