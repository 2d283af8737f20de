using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;

namespace ReplicatedSqlite.Cluster;

/// <summary>An open answer of etcd that goes on for ever, a line of JSON at a time. One reader.</summary>
internal sealed class EtcdStream(HttpResponseMessage answer, Stream content, Action moveOn) : IDisposable
{
    private const int MaxLineBytes = 16 << 20; // etcd cuts what it sends at 1.5 MiB, before base64

    private readonly PipeReader _lines = PipeReader.Create(content, new StreamPipeReaderOptions(bufferSize: 64 << 10));

    /// <summary>The next line; <see langword="null"/> at the end.</summary>
    /// <exception cref="InvalidDataException">A line is too long.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public async ValueTask<T?> ReadAsync<T>(CancellationToken cancellationToken)
        where T : class
    {
        while (true)
        {
            var read = await _lines.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            if (buffer.PositionOf((byte)'\n') is { } end)
            {
                var value = Parse<T>(buffer.Slice(0, end));
                _lines.AdvanceTo(buffer.GetPosition(1, end));
                return value;
            }

            if (read.IsCompleted)
            {
                return null;
            }

            if (buffer.Length > MaxLineBytes)
            {
                throw new InvalidDataException($"A line of {buffer.Length} bytes and more came from etcd; {MaxLineBytes} are the most.");
            }

            _lines.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    /// <summary>This endpoint is no good: the next call goes to another one.</summary>
    public void MoveOn() => moveOn();

    public void Dispose() => answer.Dispose();

    private static T? Parse<T>(ReadOnlySequence<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        return JsonSerializer.Deserialize<T>(ref reader, EtcdJson.Options);
    }
}
