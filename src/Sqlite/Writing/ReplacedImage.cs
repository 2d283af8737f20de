using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Makes a database what another image is, as one transaction of the pages that differ. A turn of the writer's owner, who commits and captures nothing meanwhile.</summary>
/// <remarks>
/// The frames are written as a replica applies them, past SQLite's own writer, which would change pages of its own. Only the first page differs from the image: it is of a database in WAL mode, and its change counter and its
/// schema's number go on from the greater of both, so that no connection takes the schema that it remembers for this one.
/// </remarks>
public sealed class ReplacedImage : IDisposable
{
    private const int WriteVersionOffset = 18;
    private const int ReadVersionOffset = 19;
    private const byte WalVersion = 2;
    private const int ChangeCounterOffset = 24;
    private const int SchemaNumberOffset = 40;
    private const int ValidForOffset = 92;

    private readonly SqliteConnection _connection;
    private readonly WalIndexApplier _applier;
    private readonly SafeFileHandle _image;

    private ReplacedImage(SqliteConnection connection, WalIndexApplier applier, SafeFileHandle image)
    {
        _connection = connection;
        _applier = applier;
        _image = image;
    }

    /// <summary>Pages that differ.</summary>
    public int PageCount { get; private set; }

    /// <summary>Compares, and writes what differs where no reader sees it.</summary>
    /// <param name="path">The database.</param>
    /// <param name="imagePath">A complete database file of the same page size.</param>
    /// <param name="mostPages">No more may differ.</param>
    /// <exception cref="InvalidDataException">The image does not fit, or too much differs.</exception>
    public static ReplacedImage Prepare(string path, string imagePath, long mostPages)
    {
        var connection = SqliteConnection.Open(path);
        WalIndexApplier? applier = null;
        SafeFileHandle? image = null;
        try
        {
            applier = WalIndexApplier.Open(connection);
            image = File.OpenHandle(imagePath);
            var replaced = new ReplacedImage(connection, applier, image);
            replaced.Write(imagePath, mostPages);
            return replaced;
        }
        catch
        {
            image?.Dispose();
            applier?.Dispose();
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Shows it to readers; the capture that follows takes its pages.</summary>
    public void Commit() => _applier.Confirm(1);

    /// <summary>What was not committed is forgotten.</summary>
    public void Dispose()
    {
        _image.Dispose();
        _applier.Dispose();
        _connection.Dispose();
    }

    private void Write(string imagePath, long mostPages)
    {
        var pageSize = (int)_connection.QueryInteger("PRAGMA page_size");
        var size = (uint)_connection.QueryInteger("PRAGMA page_count");
        var length = RandomAccess.GetLength(_image);
        var wanted = (uint)(length / pageSize);
        if (wanted == 0 || length % pageSize != 0)
        {
            throw new InvalidDataException($"'{imagePath}' has {length} bytes, which are no whole pages of {pageSize}. Nothing was changed.");
        }

        var lockPage = WalLayout.LockPage(pageSize);
        byte[] current = new byte[pageSize], image = new byte[pageSize];
        _applier.BeginTransaction(wanted);
        for (uint page = 1; page <= wanted; page++)
        {
            if (page == lockPage)
            {
                continue;
            }

            ReadImage(page, image);
            if (page <= size)
            {
                _applier.ReadPage(page, current);
                if (page == 1)
                {
                    GoOn(image, current);
                }
                else if (image.AsSpan().SequenceEqual(current))
                {
                    continue;
                }
            }

            if (++PageCount > mostPages)
            {
                throw new InvalidDataException(
                    $"More than {mostPages} pages of {pageSize} bytes differ, and one entry of the log holds no more. Make a new database of that state instead. Nothing was changed.");
            }

            _applier.WritePage(page, image);
        }

        _applier.EndTransaction();
    }

    private static void GoOn(Span<byte> image, ReadOnlySpan<byte> current)
    {
        image[WriteVersionOffset] = image[ReadVersionOffset] = WalVersion; // an image that came from outside may be of another journal mode
        WriteNext(image, current, SchemaNumberOffset);
        var counter = WriteNext(image, current, ChangeCounterOffset);
        BinaryPrimitives.WriteUInt32BigEndian(image[ValidForOffset..], counter); // else SQLite would not believe the size in the header
    }

    private static uint WriteNext(Span<byte> image, ReadOnlySpan<byte> current, int offset)
    {
        var next = Math.Max(BinaryPrimitives.ReadUInt32BigEndian(image[offset..]), BinaryPrimitives.ReadUInt32BigEndian(current[offset..])) + 1;
        BinaryPrimitives.WriteUInt32BigEndian(image[offset..], next);
        return next;
    }

    private void ReadImage(uint page, byte[] target)
    {
        var offset = (long)(page - 1) * target.Length;
        for (var done = 0; done < target.Length;)
        {
            var read = RandomAccess.Read(_image, target.AsSpan(done), offset + done);
            done += read > 0 ? read : throw new InvalidDataException($"The image ends in page {page}. Nothing was changed.");
        }
    }
}
