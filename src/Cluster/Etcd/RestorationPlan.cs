using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>One correction of a catalogue that was brought back.</summary>
/// <param name="Id">The database.</param>
/// <param name="OldName">Its name before; <see langword="null"/> when it is not there.</param>
/// <param name="New">As it shall be; <see langword="null"/>: deleted.</param>
internal readonly record struct RestorationStep(DatabaseId Id, string? OldName, DatabaseRecord? New);

/// <summary>
/// What has to be done to a catalogue that was brought back from an older copy, or is empty, so that it says what a node remembers of the one that was lost. Deletions are
/// final. Of two records of one database the greater revision says how it is called and kept, the greater epoch who led it. A name stays with who has it: whoever remembers
/// it for another database gives that one a name of its own. So the plans of several nodes may be carried out one after the other, in any order.
/// </summary>
internal sealed class RestorationPlan
{
    private readonly Dictionary<string, DatabaseId> _names = new(StringComparer.Ordinal); // as they are after the steps so far
    private readonly List<RestorationStep> _steps = [];

    private RestorationPlan()
    {
    }

    /// <summary>In the order in which they work: no step takes a name that another database still has.</summary>
    public IReadOnlyList<RestorationStep> Steps => _steps;

    /// <summary>Ids that were deleted and are not known at all any more.</summary>
    public IReadOnlyList<DatabaseId> Deletions { get; private set; } = [];

    /// <summary>Databases whose names others have.</summary>
    public int Renamed { get; private set; }

    public static RestorationPlan Make(LoadedCatalogue found, IReadOnlyList<RememberedDatabase> remembered)
    {
        var plan = new RestorationPlan();
        var there = found.Databases.Where(static database => database.Record is not null).ToDictionary(static database => database.Id, static database => database.Record!);
        foreach (var record in there.Values)
        {
            plan._names[record.Name] = record.Id;
        }

        var pending = new List<RestorationStep>();
        foreach (var database in remembered)
        {
            var old = there.GetValueOrDefault(database.Id);
            if (database.Record is null && old is not null)
            {
                plan.Do(new(database.Id, old.Name, null));
            }
            else if (database.Record is { } known && !found.Deletions.ContainsKey(database.Id))
            {
                var merged = old is null ? known : Merge(old, known);
                if (old is null || !StoredDatabase.AreSame(old, merged))
                {
                    pending.Add(new(database.Id, old?.Name, merged));
                }
            }
        }

        plan.Deletions = [.. remembered.Where(database => database.Record is null && !there.ContainsKey(database.Id) && !found.Deletions.ContainsKey(database.Id)).Select(static database => database.Id)];
        plan.Order(pending);
        return plan;
    }

    /// <summary>A name for a database whose own one is another's.</summary>
    public static string NameInstead(DatabaseRecord database) => $"{database.Name[..Math.Min(database.Name.Length, 24)]}-recovered-{database.Id.Value:n}";

    private static DatabaseRecord Merge(DatabaseRecord old, DatabaseRecord known)
    {
        var settings = known.Revision > old.Revision ? known : old;
        var leadership = known.Epoch > old.Epoch ? known : old;
        return settings with { Epoch = leadership.Epoch, PrimaryNode = leadership.PrimaryNode, Followers = leadership.Followers, Quorum = leadership.Quorum };
    }

    private void Order(List<RestorationStep> pending)
    {
        while (pending.Count > 0)
        {
            var waiting = new List<RestorationStep>();
            foreach (var step in pending)
            {
                if (!_names.TryGetValue(step.New!.Name, out var holder) || holder == step.Id)
                {
                    Do(step);
                }
                else
                {
                    waiting.Add(step);
                }
            }

            if (waiting.Count == pending.Count)
            {
                waiting = GiveWay(waiting);
            }

            pending = waiting;
        }
    }

    // Each of them wants a name that another has. One whose present name somebody waits for gets out of the way, and comes again; else they are not to be had.
    private List<RestorationStep> GiveWay(List<RestorationStep> waiting)
    {
        var wanted = waiting.Select(static step => step.New!.Name).ToHashSet(StringComparer.Ordinal);
        var blocking = waiting.FindIndex(step => step.OldName is { } name && wanted.Contains(name));
        if (blocking >= 0)
        {
            var step = waiting[blocking];
            var aside = NameInstead(step.New!);
            Do(step with { New = step.New! with { Name = aside } });
            waiting[blocking] = step with { OldName = aside };
            return waiting;
        }

        foreach (var step in waiting)
        {
            Renamed++;
            var revision = step.New!.Revision + 1;
            Do(step with { New = step.New with { Name = NameInstead(step.New), Revision = revision, NameRevision = revision } });
        }

        return [];
    }

    private void Do(RestorationStep step)
    {
        if (step.OldName is { } old)
        {
            _names.Remove(old);
        }

        if (step.New is { } record)
        {
            _names[record.Name] = step.Id;
        }

        _steps.Add(step);
    }
}
