using System.Text;

namespace ReplicatedSqlite.Cli;

/// <summary>Reads SQL files.</summary>
internal static class SourceFile
{
    private const long MaxBytes = 512L * 1024 * 1024; // a text is held in memory as a whole

    /// <summary>The file's text, or null after an error has been written.</summary>
    public static async Task<SourceText?> ReadAsync(string path, TextWriter error, CancellationToken cancellationToken)
    {
        try
        {
            var size = new FileInfo(path).Length;
            if (size > MaxBytes)
            {
                await error.WriteLineAsync($"error: '{path}' has {size / 1048576} MiB; a file of up to {MaxBytes / 1048576} MiB can be read. Split it.");
                return null;
            }

            using var reader = new StreamReader(path, new UTF8Encoding(false, throwOnInvalidBytes: true));
            return new SourceText(Path.GetFileName(path), await reader.ReadToEndAsync(cancellationToken));
        }
        catch (DecoderFallbackException)
        {
            await error.WriteLineAsync($"error: '{path}' is not text in UTF-8.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            await error.WriteLineAsync($"error: '{path}' cannot be read: {e.Message}");
        }

        return null;
    }
}
