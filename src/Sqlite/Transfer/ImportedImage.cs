using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Makes a complete database file of what somebody sent, and checks it. Nobody else has the file open; it is thrown away if anything fails.</summary>
/// <remarks>Blocks: for a thread that may.</remarks>
public static class ImportedImage
{
    private const string OwnTables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE '\\_rs\\_%' ESCAPE '\\'";

    /// <summary>Runs the SQL of a dump in a new file.</summary>
    /// <param name="path">The file to make.</param>
    /// <param name="sql">UTF-8, read a window at a time.</param>
    /// <param name="pageSizeBytes">Of the file.</param>
    /// <param name="cancellationToken">Interrupts it.</param>
    /// <exception cref="RequestException">A statement failed, or what they made is damaged.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public static ScriptOutcome FromSql(string path, Stream sql, int pageSizeBytes, CancellationToken cancellationToken)
    {
        ScriptOutcome outcome;
        try
        {
            var options = new QueryConnectionOptions { Policy = SqlPolicy.Import, PageSizeBytes = pageSizeBytes, PageCacheKib = 32 * 1024 };
            using var connection = QueryConnection.OpenAlone(path, create: true, options);
            connection.Connection.Execute("BEGIN IMMEDIATE; PRAGMA user_version=1; PRAGMA user_version=0"); // so that there is a first page, whatever the SQL does
            connection.Watch.Start(TimeSpan.Zero, cancellationToken);
            outcome = ScriptRunner.Run(connection, sql, read: null);
            connection.Watch.Stop();
            connection.Connection.Execute("COMMIT");
        }
        catch (SqliteException error)
        {
            throw SqlErrors.From(error);
        }

        // By a connection that reads the schema from the file: SQL may have written it.
        Check(path, static connection => Check(connection, "quick_check"));
        return outcome;
    }

    /// <summary>Checks an image that somebody sent, and makes it one that can be put in a database's place: of its page size, and without the server's own tables.</summary>
    /// <param name="path">The file.</param>
    /// <param name="pageSizeBytes">That is wanted; <see langword="null"/>: the one that it has.</param>
    /// <returns>Its page size.</returns>
    /// <exception cref="RequestException">It is no database, or a damaged one.</exception>
    public static int FromImage(string path, int? pageSizeBytes)
    {
        var length = new FileInfo(path).Length;
        CheckHeader(path, length);
        var (pageSize, pages) = Check(path, connection =>
        {
            Check(connection, "integrity_check");
            if (connection.QueryText("PRAGMA encoding") is not "UTF-8" and var encoding)
            {
                throw SqlErrors.Invalid($"The database keeps its text in {encoding}, and UTF-8 is wanted. Nothing was imported; import its dump (sqlite3 FILE .dump) instead.");
            }

            DropOwnTables(connection);
            if (pageSizeBytes is { } wanted && wanted != connection.QueryInteger("PRAGMA page_size"))
            {
                connection.Execute($"PRAGMA page_size={wanted}; VACUUM");
            }

            return ((int)connection.QueryInteger("PRAGMA page_size"), connection.QueryInteger("PRAGMA page_count"));
        });

        // What lies behind the database's end, as where files grow in chunks, is not of it.
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.SetLength(file, pages * pageSize);
        return pageSize;
    }

    /// <summary>Bytes of a page of a checked image.</summary>
    public static int PageSizeOf(string path) => Check(path, static connection => (int)connection.QueryInteger("PRAGMA page_size"));

    /// <summary>Takes the server's own tables out, and what they held.</summary>
    internal static void DropOwnTables(SqliteConnection connection)
    {
        connection.Execute("PRAGMA secure_delete=ON");
        while (First(connection) is { } name)
        {
            connection.Execute($"DROP TABLE \"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"");
        }
    }

    private static string? First(SqliteConnection connection)
    {
        using var names = connection.Prepare(OwnTables);
        return names.Step() ? names.GetText(0) : null;
    }

    private static void CheckHeader(string path, long length)
    {
        Span<byte> header = stackalloc byte[100];
        using var file = File.OpenHandle(path);
        if (RandomAccess.Read(file, header, 0) < header.Length || !header.StartsWith("SQLite format 3\0"u8))
        {
            throw SqlErrors.Invalid($"The file of {length} bytes is no SQLite database: it does not begin as one. For SQL text say so. Nothing was imported.");
        }

        int pageSize = (header[16] << 8) | header[17];
        pageSize = pageSize == 1 ? 65536 : pageSize;
        if (pageSize < 512 || length % pageSize != 0)
        {
            throw Damaged($"its {length} bytes are no whole pages of {pageSize}; it is cut short, or was copied while it was written");
        }
    }

    private static T Check<T>(string path, Func<SqliteConnection, T> look)
    {
        try
        {
            using var connection = SqliteConnection.OpenAlone(path);
            return look(connection);
        }
        catch (SqliteException error)
        {
            throw error.PrimaryCode is SqliteCodes.NotADatabase or SqliteCodes.Corrupt or SqliteCodes.Error ? Damaged(error.Message) : SqlErrors.From(error);
        }
    }

    private static bool Check(SqliteConnection connection, string check)
    {
        var found = connection.QueryText($"PRAGMA {check}(1)");
        return found == "ok" ? true : throw Damaged(found ?? "its check says nothing");
    }

    private static RequestException Damaged(string why) => SqlErrors.Invalid($"The database image is damaged: {why}. Nothing was imported.");
}
