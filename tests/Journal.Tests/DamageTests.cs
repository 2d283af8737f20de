using System.Buffers.Binary;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Journal.Tests;

/// <summary>A torn tail goes silently; anything that was synced and is gone is loud.</summary>
public sealed class DamageTests
{
    private readonly JournalFixture _fixture = new();
    private readonly LogBuilder _log = new(JournalFixture.Database(1));

    [Fact]
    public void A_group_torn_at_any_byte_goes_whole_and_everything_before_it_stays()
    {
        _fixture.Append(_log.OpenEpoch(1), _log.Append(1));
        var kept = _log.End;
        var start = EndOfGroups(1);
        _fixture.Append(_log.Append(2));
        var end = EndOfGroups(1);
        var whole = _fixture.Disk.Read(JournalFixture.PathOf(1));
        var lost = _log.End;
        for (var torn = start; torn <= end; torn++)
        {
            var bytes = whole.ToArray();
            bytes.AsSpan(torn, end - torn).Clear();
            var isWhole = bytes.AsSpan().SequenceEqual(whole);
            _fixture.Reopen(disk =>
            {
                disk.Kill();
                disk.Replace(JournalFixture.PathOf(1), bytes);
            });
            Assert.Equal(isWhole ? lost : kept, _fixture.Journal.LastOf(_log.Database));
            var last = _log.GoTo(_fixture.Journal.LastOf(_log.Database), _log.Epochs).Append(3);
            _fixture.Append(last);
            _fixture.KillAndReopen();
            Assert.Equal(isWhole ? [lost, last.End] : [last.End], _fixture.Ends(_log.Database).Skip(2));
        }
    }

    [Fact]
    public void What_lies_behind_a_torn_tail_is_zeroed()
    {
        _fixture.Append(_log.OpenEpoch(1));
        _fixture.Reopen(disk =>
        {
            disk.Kill();
            var bytes = disk.Read(JournalFixture.PathOf(1));
            bytes.AsSpan(EndOfGroups(1) + 100).Fill(0xEE);
            disk.Replace(JournalFixture.PathOf(1), bytes);
        });
        Assert.DoesNotContain((byte)0xEE, _fixture.Disk.Read(JournalFixture.PathOf(1)));
        Assert.Equal(_log.End, _fixture.Journal.LastOf(_log.Database));
    }

    [Fact]
    public void Any_flipped_bit_below_a_synced_end_is_damage_with_file_and_offset()
    {
        _fixture.Append(_log.OpenEpoch(1), _log.Append(1), _log.Append(2));
        var end = EndOfGroups(1);
        _fixture.Append(_log.Append(3)); // names the end as synced
        _fixture.Disk.Kill();
        for (var bit = 0; bit < end * 8; bit += bit < 1600 ? 1 : 7)
        {
            _fixture.Disk.FlipBit(JournalFixture.PathOf(1), bit);
            if (bit / 8 == 8)
            {
                Assert.ThrowsAny<JournalException>(() => _fixture.Open()); // the version
            }
            else
            {
                var damage = Assert.Throws<JournalDamagedException>(() => _fixture.Open());
                Assert.Equal("00000001.journal", damage.File);
                Assert.InRange(damage.OffsetBytes, 0, bit / 8);
            }

            _fixture.Disk.FlipBit(JournalFixture.PathOf(1), bit);
        }

        _fixture.Reopen(_ => { });
        Assert.Equal(4, _fixture.Ends(_log.Database).Count);
    }

    [Fact]
    public async Task After_a_clean_stop_the_last_entry_too_is_below_a_synced_end()
    {
        _fixture.Append(_log.OpenEpoch(1), _log.Append(1));
        var end = EndOfGroups(1);
        await _fixture.Journal.DisposeAsync();
        _fixture.Disk.FlipBit(JournalFixture.PathOf(1), (end - 10) * 8);
        Assert.Throws<JournalDamagedException>(() => _fixture.Open());
    }

    [Fact]
    public void Damage_in_an_earlier_file_and_a_missing_file_are_loud()
    {
        _fixture.Append([_log.OpenEpoch(1), .. Enumerable.Range(1, 300).Select(i => _log.Append((byte)i))]);
        Assert.True(_fixture.Files.Count() >= 4);
        _fixture.Disk.Kill();
        foreach (var file in _fixture.Files.SkipLast(2).ToList())
        {
            var path = JournalFixture.PathOf(file);
            var bytes = _fixture.Disk.Read(path);
            _fixture.Disk.FlipBit(path, 30_000 * 8);
            Assert.Equal($"{file:D8}.journal", Assert.Throws<JournalDamagedException>(() => _fixture.Open()).File);
            _fixture.Disk.Delete(path);
            Assert.Throws<JournalDamagedException>(() => _fixture.Open());
            _fixture.Disk.Replace(path, bytes[..^1]);
            Assert.Throws<JournalDamagedException>(() => _fixture.Open());
            _fixture.Disk.Replace(path, bytes);
        }

        _fixture.Reopen(_ => { });
        Assert.Equal(301, _fixture.Ends(_log.Database).Count);
    }

    [Fact]
    public void A_lost_header_of_the_newest_file_is_damage_even_if_it_holds_one_group()
    {
        _fixture.Append(_log.OpenEpoch(1));
        while (EndOfGroups(2) == FileHeader.SizeBytes)
        {
            _fixture.Append(_log.Append());
        }

        _fixture.Disk.Kill();
        _fixture.Disk.FlipBit(JournalFixture.PathOf(2), 20 * 8);
        Assert.Equal("00000002.journal", Assert.Throws<JournalDamagedException>(() => _fixture.Open()).File);
    }

    [Fact]
    public void A_lost_id_or_a_journal_of_another_id_is_damage_and_an_empty_folder_is_new()
    {
        _fixture.Append(_log.OpenEpoch(1));
        _fixture.Disk.Kill();
        var id = $"{JournalFixture.Folder}/journal.id";
        var bytes = _fixture.Disk.Read(id);
        _fixture.Disk.Replace(id, JournalIdRecord.Encode(Guid.Empty));
        Assert.Throws<JournalDamagedException>(() => _fixture.Open());
        _fixture.Disk.Delete(id);
        Assert.Throws<JournalDamagedException>(() => _fixture.Open());
        _fixture.Disk.Replace(id, bytes);
        var files = _fixture.Files.Select(JournalFixture.PathOf).ToList();
        files.ForEach(_fixture.Disk.Delete);
        Assert.Throws<JournalDamagedException>(() => _fixture.Open());
        _fixture.Disk.Delete(id);
        _fixture.Reopen(_ => { });
        Assert.True(_fixture.Journal.IsNew);
    }

    [Fact]
    public void A_journal_of_a_newer_version_is_refused_by_name()
    {
        _fixture.Append(_log.OpenEpoch(1));
        _fixture.Disk.Kill();
        foreach (var (path, name) in new[] { (JournalFixture.PathOf(1), "00000001.journal"), ($"{JournalFixture.Folder}/journal.id", "journal.id") })
        {
            var bytes = _fixture.Disk.Read(path);
            _fixture.Disk.Replace(path, [.. bytes[..8], 2, .. bytes[9..]]);
            Assert.StartsWith($"{name} has format version 2; this build reads version 1", Assert.Throws<JournalVersionException>(() => _fixture.Open()).Message, StringComparison.Ordinal);
            _fixture.Disk.Replace(path, bytes);
        }
    }

    [Fact]
    public void A_record_kind_of_a_later_build_is_refused_by_number()
    {
        _fixture.Append(_log.OpenEpoch(1));
        var at = EndOfGroups(1);
        _fixture.Append(_log.Append());
        _fixture.Disk.Kill();
        var bytes = _fixture.Disk.Read(JournalFixture.PathOf(1));
        bytes[at + 64] = 9;
        var body = bytes.AsSpan(at + 64, BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at + 36)));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at + 52), Crc32C.Of(body));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at + 60), Crc32C.Of(bytes.AsSpan(at, 60)));
        _fixture.Disk.Replace(JournalFixture.PathOf(1), bytes);
        var damage = Assert.Throws<JournalDamagedException>(() => _fixture.Open());
        Assert.Contains("record kind 9", damage.Message, StringComparison.Ordinal);
        Assert.Equal(at + 64, damage.OffsetBytes);
    }

    [Fact]
    public void Groups_of_another_file_at_the_same_place_are_not_taken()
    {
        _fixture.Append(_log.OpenEpoch(1), _log.Append(1));
        var end = EndOfGroups(1);
        var other = new JournalFixture(seed: 2);
        other.Append(new LogBuilder(_log.Database).OpenEpoch(1));
        var stranger = new LogBuilder(JournalFixture.Database(2));
        while (EndOfGroups(other, 1) < end)
        {
            other.Append(stranger.End == Position.Start ? stranger.OpenEpoch(1) : stranger.Append());
        }

        other.Append(stranger.Append(), stranger.Append());
        _fixture.Reopen(disk =>
        {
            disk.Kill();
            disk.Replace(JournalFixture.PathOf(1), [.. disk.Read(JournalFixture.PathOf(1)).AsSpan(0, end), .. other.Disk.Read(JournalFixture.PathOf(1)).AsSpan(end)]);
        });
        Assert.Equal([_log.Database], _fixture.Journal.Databases);
        Assert.Equal(_log.End, _fixture.Journal.LastOf(_log.Database));
    }

    // Bug: the second life named the torn file's own beginning as its synced end, and the third called that damage.
    [Fact]
    public void A_file_whose_first_group_is_torn_in_two_lives_is_no_damage()
    {
        _fixture.Append(_log.OpenEpoch(1));
        while (EndOfGroups(2) == FileHeader.SizeBytes)
        {
            _fixture.Append(_log.Append());
        }

        for (var life = 0; life < 3; life++)
        {
            _fixture.Reopen(disk =>
            {
                disk.Kill();
                var bytes = disk.Read(JournalFixture.PathOf(2));
                bytes.AsSpan(FileHeader.SizeBytes + GroupHeader.SizeBytes).Clear();
                disk.Replace(JournalFixture.PathOf(2), bytes);
            });
        }

        _log.GoTo(_fixture.Journal.LastOf(_log.Database), _log.Epochs);
        _fixture.Append(_log.Append());
        _fixture.KillAndReopen();
        Assert.Equal(_log.End, _fixture.Journal.LastOf(_log.Database));
    }

    private int EndOfGroups(int file) => EndOfGroups(_fixture, file);

    private static int EndOfGroups(JournalFixture fixture, int file)
    {
        var bytes = fixture.Disk.Read(JournalFixture.PathOf(file));
        var end = FileHeader.SizeBytes;
        while (GroupHeader.TryRead(bytes.AsSpan(end), end, bytes.Length, out var header) is null)
        {
            end += header.TotalBytes;
        }

        return end;
    }
}
