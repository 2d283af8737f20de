using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Follower.Tests;

/// <summary>Leaderships and logs that the tests of the core speak of.</summary>
internal static class Logs
{
    public static Promise One { get; } = new(1, 0xA1);

    public static Promise Two { get; } = new(2, 0xA2);

    public static Promise Three { get; } = new(3, 0xA3);

    public static DatabaseId Database { get; } = new(new Guid("00112233-4455-6677-8899-aabbccddeeff"));

    public static FollowerSet Three1 { get; } = FollowerSet.Majority([Id(1), Id(2), Id(3)]);

    public static FollowerSet Three2 { get; } = FollowerSet.Majority([Id(1), Id(2), Id(4)]);

    public static Guid Id(byte number) => new(number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    /// <summary>An epoch entry of epoch 1 and <paramref name="count"/> − 1 entries behind it.</summary>
    public static List<Entry> First(int count, out LogBuilder builder)
    {
        builder = new LogBuilder(Database);
        var entries = new List<Entry> { builder.OpenEpoch(1) };
        while (entries.Count < count)
        {
            entries.Add(builder.Append((byte)entries.Count));
        }

        return entries;
    }

    public static List<Entry> First(int count) => First(count, out _);

    public static Append Append(Promise promise, params IReadOnlyList<Entry> entries) => new(promise, entries[0].Predecessor, [.. entries]);

    public static Append Compare(Promise promise, Position previous) => new(promise, previous, []);

    public static IEnumerable<AppendPart> Parts(Promise promise, Entry entry, int partBytes)
    {
        var bytes = entry.Encoded;
        for (int number = 0, at = 0; at < bytes.Length; number++, at += partBytes)
        {
            var length = Math.Min(partBytes, bytes.Length - at);
            yield return new(promise, entry.Predecessor, entry.Header.Epoch, entry.Header.FirstSequence, number, at + length == bytes.Length, bytes.Slice(at, length));
        }
    }
}
