using System.Collections.Immutable;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal.Tests;

/// <summary>What one database's log should be after one call.</summary>
internal sealed record DatabaseState(Position Base, ImmutableList<Position> Ends, EpochTable Epochs, string Note, bool IsKnown, bool IsRemoved)
{
    public static DatabaseState Unknown { get; } = new(Position.Start, [], EpochTable.Empty, "", false, false);

    public Position End => Ends.IsEmpty ? Base : Ends[^1];

    /// <summary>What a journal says, in the same words; epochs are not asked for.</summary>
    public static string Describe(NodeJournal journal, DatabaseId database)
    {
        var first = journal.FirstOf(database);
        var ends = journal.ReadFrom(database, first, long.MaxValue).Select(entry => entry.End).ToList();
        Assert.Equal(ends.LastOrDefault(first), journal.LastOf(database));
        return Describe(first, ends, Convert.ToHexString(journal.NoteOf(database).Span), journal.Databases.Contains(database));
    }

    public string Describe() => IsRemoved ? Describe(Position.Start, [], "", isKnown: false) : Describe(Base, Ends, Note, IsKnown);

    private static string Describe(Position first, IEnumerable<Position> ends, string note, bool isKnown) =>
        $"{(isKnown ? "known" : "unknown")} from {first}: {string.Join(' ', ends)}; note {note}";
}
