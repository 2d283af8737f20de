using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Journal.Tests;

/// <summary>A journal on a simulated disk, flushed by hand unless told otherwise.</summary>
internal sealed class JournalFixture
{
    public const string Folder = "/journal";

    public JournalFixture(int seed = 1, bool ownThread = false)
    {
        Random = new(seed);
        Disk = new(Random);
        Options = new() { FileSizeBytes = JournalOptions.MinFileSizeBytes, OwnThread = ownThread };
        Journal = Open();
    }

    public Random Random { get; }

    public SimulatedDisk Disk { get; }

    public JournalOptions Options { get; init; }

    public NodeJournal Journal { get; private set; }

    public static DatabaseId Database(int number) => new(new Guid(number, 0, 0, new byte[8]));

    public static string PathOf(int file) => $"{Folder}/{file:D8}.journal";

    public IEnumerable<int> Files => Disk.List(Folder).Where(name => name.EndsWith(".journal", StringComparison.Ordinal)).Select(name => int.Parse(name[..8])).Order();

    public NodeJournal Open() => NodeJournal.Open(Folder, Options, Disk, Random);

    /// <summary>Appends entries and makes them durable.</summary>
    public void Append(params Entry[] entries)
    {
        foreach (var entry in entries)
        {
            Run(Journal.AppendAsync(entry));
        }
    }

    /// <summary>Flushes until the task is done.</summary>
    public void Run(Task task)
    {
        while (!task.IsCompleted && Journal.Flush())
        {
        }

        Assert.True(task.IsCompleted, "The journal had nothing to write and the task is not done.");
        task.GetAwaiter().GetResult();
        while (Journal.Flush())
        {
        }
    }

    public JournalFixture Reopen(Action<SimulatedDisk> between)
    {
        between(Disk);
        Journal = Open();
        return this;
    }

    public JournalFixture KillAndReopen() => Reopen(disk => disk.Kill());

    public List<Position> Ends(DatabaseId database) =>
        [.. Journal.ReadFrom(database, Journal.FirstOf(database), long.MaxValue).Select(entry => entry.End)];
}
