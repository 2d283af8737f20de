using System.Collections.Immutable;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>The catalogue as one immutable value. Readers take the reference once and see one state.</summary>
internal sealed class Catalogue
{
    private readonly ImmutableSortedSet<string> _names; // ordinal; gives the order that dictionaries lack
    private readonly ImmutableDictionary<string, DatabaseRecord> _byName;
    private readonly ImmutableDictionary<DatabaseId, DatabaseRecord> _byId;

    private Catalogue(
        ImmutableSortedSet<string> names, ImmutableDictionary<string, DatabaseRecord> byName, ImmutableDictionary<DatabaseId, DatabaseRecord> byId)
    {
        _names = names;
        _byName = byName;
        _byId = byId;
    }

    public static Catalogue Empty { get; } = Of([]);

    /// <summary>Number of databases.</summary>
    public int Count => _byId.Count;

    /// <summary>All of them, in no order.</summary>
    public IEnumerable<DatabaseRecord> All => _byId.Values;

    public static Catalogue Of(IReadOnlyList<DatabaseRecord> databases) => new(
        databases.Select(d => d.Name).ToImmutableSortedSet(StringComparer.Ordinal),
        databases.ToImmutableDictionary(d => d.Name, StringComparer.Ordinal),
        databases.ToImmutableDictionary(d => d.Id));

    public DatabaseRecord? Find(string nameOrId)
    {
        // A name may look like a UUID; the id wins, since only it is unique for ever.
        if (nameOrId.Length == 36 && Guid.TryParse(nameOrId, out var guid) && _byId.TryGetValue(new DatabaseId(guid), out var byId))
        {
            return byId;
        }

        return _byName.GetValueOrDefault(nameOrId);
    }

    public DatabaseRecord? Find(DatabaseId id) => _byId.GetValueOrDefault(id);

    public IReadOnlyList<DatabaseRecord> List(string prefix, string after, int count)
    {
        var found = new List<DatabaseRecord>();
        var start = string.CompareOrdinal(after, prefix) > 0 ? after : prefix;
        var index = _names.IndexOf(start); // the complement of where it would stand, when there is none
        for (index = index < 0 ? ~index : index; index < _names.Count && found.Count < count; index++)
        {
            var name = _names[index];
            if (!name.StartsWith(prefix, StringComparison.Ordinal))
            {
                break;
            }

            if (string.CompareOrdinal(name, after) > 0)
            {
                found.Add(_byName[name]);
            }
        }

        return found;
    }

    public Catalogue With(DatabaseRecord database)
    {
        var clean = Without(database.Id);
        return new(clean._names.Add(database.Name), clean._byName.SetItem(database.Name, database), clean._byId.SetItem(database.Id, database));
    }

    public Catalogue Without(DatabaseId id)
    {
        if (!_byId.TryGetValue(id, out var old))
        {
            return this;
        }

        // Its name may be another's by now: news of two databases do not come in order.
        return _byName.TryGetValue(old.Name, out var holder) && holder.Id == id
            ? new(_names.Remove(old.Name), _byName.Remove(old.Name), _byId.Remove(id))
            : new(_names, _byName, _byId.Remove(id));
    }
}
