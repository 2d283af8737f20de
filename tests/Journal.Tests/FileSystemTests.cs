using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Journal.Tests;

/// <summary>The same on a real disk.</summary>
public sealed class FileSystemTests : IDisposable
{
    private static readonly JournalOptions _options = new() { FileSizeBytes = 256 << 10 };
    private readonly string _root = Directory.CreateTempSubdirectory("journal-").FullName;
    private readonly LogBuilder _log = new(JournalFixture.Database(1));

    private string Folder => Path.Combine(_root, "a", "journal");

    [Fact]
    public async Task What_was_appended_is_there_after_a_stop_and_the_folder_is_locked_meanwhile()
    {
        var journal = Open(Folder);
        Assert.Throws<JournalInUseException>(() => Open(Folder));
        await journal.AppendAsync(_log.OpenEpoch(1));
        for (var i = 0; i < 300; i++)
        {
            await journal.EnqueueAsync(_log.Append((byte)i, pages: 4), (_, _) => { });
        }

        await journal.DisposeAsync();
        await using var again = Open(Folder);
        Assert.Equal(_log.End, again.LastOf(_log.Database));
        Assert.Equal(301, again.ReadFrom(_log.Database, Position.Start, long.MaxValue).Count);
        Assert.Equal(journal.Id, again.Id);
        Assert.True(Directory.GetFiles(Folder, "*.journal").Length > 2);
        await again.SetBaseAsync(_log.Database, _log.End);
        await again.SetNoteAsync(_log.Database, [1]); // behind the record of the files that go
        await again.AppendAsync(_log.Append());
        Assert.InRange(Directory.GetFiles(Folder, "*.journal").Length, 1, 3);
    }

    // The folder is copied when half of a group is written: that is what a crash leaves.
    [Fact]
    public async Task A_copy_taken_in_mid_write_holds_all_that_was_acknowledged_before()
    {
        var disk = new HalfWritingDisk(new FileSystemDisk());
        await using var journal = NodeJournal.Open(Folder, _options, disk, new Random(1));
        await journal.AppendAsync(_log.OpenEpoch(1));
        for (var copy = 0; copy < 6; copy++)
        {
            var target = Path.Combine(_root, $"copy{copy}");
            var before = _log.End;
            disk.AtHalf = () => Copy(target);
            for (var i = 0; i < 12; i++)
            {
                await journal.EnqueueAsync(_log.Append((byte)i, pages: 3), (_, _) => { });
            }

            await journal.AppendAsync(_log.Append());
            await using var copied = Open(target);
            Assert.True(copied.LastOf(_log.Database) >= before);
            var ends = copied.ReadFrom(_log.Database, Position.Start, long.MaxValue).Select(entry => entry.End).ToList();
            Assert.Equal(copied.LastOf(_log.Database), ends[^1]);
            Assert.Contains(before, ends);
        }
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private void Copy(string target)
    {
        Directory.CreateDirectory(target);
        foreach (var file in Directory.GetFiles(Folder).Where(file => !file.EndsWith(".lock", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }
    }

    private static NodeJournal Open(string folder) => NodeJournal.Open(folder, _options, new FileSystemDisk(), new Random(1));
}
