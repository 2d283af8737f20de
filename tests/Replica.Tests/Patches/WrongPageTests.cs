using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Replica.Tests;

/// <summary>A copy that is not the one a patch was made for: whatever the cause, it is found at the first patch.</summary>
public sealed class WrongPageTests : IDisposable
{
    private const uint LastPage = 2;
    private const int PageSizeBytes = 4096;
    private static readonly DatabaseId _database = new(new Guid(1, 0, 0, new byte[8]));

    private readonly TemporaryFolder _folder = new();
    private readonly SourceDatabase _source;
    private readonly Entry _create;
    private readonly Entry _insert;

    public WrongPageTests()
    {
        _source = new SourceDatabase(Path("source.sqlite"), _database);
        _create = _source.Write("CREATE TABLE t (x)");
        _insert = _source.Write("INSERT INTO t VALUES ('one')");
    }

    [Fact]
    public async Task A_damaged_page_of_a_replica_is_found_before_the_patch_is_set()
    {
        await using (var file = Create("replica.sqlite"))
        {
            file.Append(_create);
            file.Publish(_create.End);
            file.Checkpoint(_create.End, LogState.Empty);
        }

        Damage("replica.sqlite");
        await using var damaged = Open("replica.sqlite");
        Assert.Contains("before the patch", Assert.Throws<PageMismatchException>(() => damaged.Append(_insert)).Message, StringComparison.Ordinal);
        Assert.Equal(0, damaged.Hidden);
    }

    [Fact]
    public void A_damaged_page_of_a_primary_is_found_while_the_log_is_replayed()
    {
        CreateEmpty("primary.sqlite");
        Replay("primary.sqlite", Position.Start, _create);
        Damage("primary.sqlite");
        Assert.Contains("before", Assert.Throws<PageMismatchException>(() => Replay("primary.sqlite", _create.End, _insert)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damage_under_a_replay_over_newer_bytes_is_found_when_the_newest_is_reached()
    {
        CreateEmpty("primary.sqlite");
        Replay("primary.sqlite", Position.Start, _create, _insert);
        Replay("primary.sqlite", _insert.End, _create, _insert); // older patches over newer bytes: harmless
        Damage("primary.sqlite");
        var second = _source.Write("INSERT INTO t VALUES ('two')");
        Assert.Contains("after", Assert.Throws<PageMismatchException>(() => Replay("primary.sqlite", second.End, _insert, second)).Message, StringComparison.Ordinal);
    }

    // The fault that the checksums are there for: images of an entry that was lost with a leadership are used in the next one.
    [Fact]
    public async Task A_patch_against_an_image_that_never_became_part_of_the_log_is_refused()
    {
        await using var file = Create("replica.sqlite");
        file.Append(_create);
        file.Append(_insert);
        var position = _source.End;
        _source.Write("INSERT INTO t VALUES ('lost')"); // captured, never appended
        var lost = Image();
        _source.Connection.Execute("UPDATE t SET x = 'next' WHERE x = 'lost'");
        var builder = new EntryBuilder(_source.HeaderBehind(position, LastPage), 1);
        builder.AddPatch(LastPage, lost, Crc32C.Of(lost), Image(), Crc32C.Of(Image()));
        Assert.Throws<PageMismatchException>(() => file.Append(builder.Build()));
    }

    [Fact]
    public void Images_are_of_one_position_only_and_any_other_finds_none()
    {
        var position = _source.End;
        _source.Write("INSERT INTO t VALUES ('lost')");
        Assert.True(_source.Encoder.Images > 0);
        _source.GoBackTo(position);
        Assert.All(Kinds(_source.Write("INSERT INTO t VALUES ('next')")), kind => Assert.NotEqual(PageKind.Patch, kind));
        Assert.All(Kinds(_source.Write("INSERT INTO t VALUES ('further')")), kind => Assert.Equal(PageKind.Patch, kind));
        _source.OpenEpoch(2);
        Assert.All(Kinds(_source.Write("INSERT INTO t VALUES ('of another leadership')")), kind => Assert.NotEqual(PageKind.Patch, kind));
        _source.Encoder.Forget();
        Assert.Equal(0, _source.Encoder.Images);
        Assert.All(Kinds(_source.Write("INSERT INTO t VALUES ('after a failure')")), kind => Assert.NotEqual(PageKind.Patch, kind));
    }

    [Fact]
    public async Task Patches_after_a_discarded_tail_are_against_what_came_before_it()
    {
        await using var file = Create("replica.sqlite");
        file.Append(_create);
        file.Append(_insert);
        using var fork = _source.Fork(Path("fork.sqlite"));
        file.Append(_source.Write("INSERT INTO t VALUES ('of the old leader')"));
        file.Append(_source.Write("UPDATE t SET x = x || '!'"));
        file.DiscardAfter(_insert.End);
        var opened = fork.OpenEpoch(2);
        file.Append(opened);
        var whole = fork.Write("INSERT INTO t VALUES ('of the new one')");
        var patch = fork.Write("UPDATE t SET x = x || '?'");
        file.Append(whole);
        file.Append(patch);
        Assert.Contains(PageKind.Patch, Kinds(patch));
        file.DiscardAfter(whole.End);
        file.Append(patch);
        file.Publish(patch.End);
        using var reader = SqliteConnection.Open(Path("replica.sqlite"));
        Assert.Equal(2, reader.QueryInteger("SELECT count(*) FROM t WHERE x IN ('one?', 'of the new one?')"));
    }

    public void Dispose()
    {
        _source.Dispose();
        _folder.Dispose();
    }

    private static List<PageKind> Kinds(Entry entry)
    {
        var kinds = new List<PageKind>();
        foreach (var record in entry.Pages)
        {
            kinds.Add(record.Kind);
        }

        return kinds;
    }

    private string Path(string name) => System.IO.Path.Combine(_folder.Path, name);

    private byte[] Image()
    {
        using var snapshot = SnapshotReader.Open(Path("source.sqlite"));
        while (snapshot.PageNumber < LastPage)
        {
            Assert.True(snapshot.MoveNext());
        }

        return snapshot.Image.ToArray();
    }

    private void Replay(string name, Position to, params Entry[] entries)
    {
        using var replay = new LogReplay(Path(name), to);
        Array.ForEach(entries, replay.Apply);
        replay.Finish(syncs: true);
    }

    // Between the row pointers and the rows, where SQLite itself would never notice.
    private void Damage(string name)
    {
        using var file = File.OpenHandle(Path(name), FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.Write(file, [0x55], ((LastPage - 1) * PageSizeBytes) + (PageSizeBytes / 2));
    }

    private void CreateEmpty(string name)
    {
        DatabaseFile.CreateEmpty(Path(name), PageSizeBytes);
        new Sidecar(_database, Position.Start, Position.Start).Write(Sidecar.PathOf(Path(name)));
    }

    private ReplicaFile Create(string name)
    {
        CreateEmpty(name);
        return Open(name);
    }

    private ReplicaFile Open(string name) => ReplicaFile.TryOpen(Path(name), _database, new ReaderOptions())!;
}
