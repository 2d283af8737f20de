using System.Buffers.Binary;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Cluster;

/// <summary>What is known of the log before the place where replay starts; the log itself may be trimmed there.</summary>
/// <param name="Epochs">The epochs up to there.</param>
/// <param name="CommitTimeMicroseconds">Of the last entry before it; later ones never go below.</param>
public sealed record LogState(EpochTable Epochs, long CommitTimeMicroseconds)
{
    /// <summary>Of a log without entries.</summary>
    public static LogState Empty { get; } = new(EpochTable.Empty, 0);
}

/// <summary>Keeps a <see cref="LogState"/> beside the database file.</summary>
/// <remarks>
/// Written before the sidecar's <c>from</c> moves on. One that is newer than <c>from</c> does no harm: replay meets the same epoch entries, and each carries
/// the whole table. Format: docs/formats.md, "Log state": commit time i64, the epoch table, CRC-32C of both.
/// </remarks>
public static class LogStateFile
{
    private const int TimeBytes = 8;
    private const int ChecksumBytes = 4;

    /// <summary>The file beside a database file.</summary>
    public static string PathOf(string databasePath) => databasePath + "-log";

    /// <summary>The state; empty if there is no file yet.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static LogState Read(string path)
    {
        if (!File.Exists(path))
        {
            return LogState.Empty;
        }

        return Decode(File.ReadAllBytes(path), path);
    }

    /// <summary>The state in bytes that came from such a file.</summary>
    /// <param name="bytes">All of it.</param>
    /// <param name="path">What it is called in errors.</param>
    /// <exception cref="InvalidDataException">They are damaged.</exception>
    public static LogState Decode(ReadOnlySpan<byte> bytes, string path)
    {
        if (bytes.Length < TimeBytes + ChecksumBytes)
        {
            throw new InvalidDataException($"'{path}' has {bytes.Length} bytes; a commit time, an epoch table and a checksum were expected.");
        }

        var body = bytes[..^ChecksumBytes];
        var found = BinaryPrimitives.ReadUInt32LittleEndian(bytes[body.Length..]);
        var computed = Crc32C.Of(body);
        return found == computed
            ? new LogState(EpochTableFormat.Read(body[TimeBytes..]), BinaryPrimitives.ReadInt64LittleEndian(body))
            : throw new InvalidDataException($"'{path}' is damaged at byte {body.Length}: CRC-32C {found:x8} was found, {computed:x8} was expected.");
    }

    /// <summary>Writes the state in place of the one that is there: whole or not at all, durable on return.</summary>
    public static void Write(string path, LogState state) => DurableFile.Write(path, Encode(state));

    /// <summary>The file's bytes.</summary>
    public static byte[] Encode(LogState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var size = TimeBytes + EpochTableFormat.SizeOf(state.Epochs);
        var bytes = new byte[size + ChecksumBytes];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, state.CommitTimeMicroseconds);
        EpochTableFormat.Write(bytes.AsSpan(TimeBytes), state.Epochs);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(size), Crc32C.Of(bytes.AsSpan(0, size)));
        return bytes;
    }
}
