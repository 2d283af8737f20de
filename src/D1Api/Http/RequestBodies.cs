using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.D1Api;

/// <summary>Reads requests' bodies whole, within bounds of size and time, each and together, so that slow, endless or many ones cost nobody else anything. Safe for use by any thread.</summary>
internal sealed class RequestBodies(D1ApiOptions options, TimeProvider time)
{
    private long _heldBytes; // of all bodies that did not come with their heads; by Interlocked

    /// <summary>Calls <paramref name="parse"/> with the body's bytes.</summary>
    /// <exception cref="ApiException">It is too long, took too long, or was refused by <paramref name="parse"/>.</exception>
    /// <exception cref="RequestException">Too many others are on their way.</exception>
    public async ValueTask<T> ReadAsync<T>(HttpContext http, Func<ReadOnlySequence<byte>, T> parse)
    {
        var reader = http.Request.BodyReader;
        if (http.Request.ContentLength > options.MaxBodyBytes)
        {
            throw TooLong();
        }

        if (reader.TryRead(out var whole)) // the usual body came with its head
        {
            if (whole.IsCompleted && whole.Buffer.Length <= options.MaxBodyBytes)
            {
                return Parse(whole.Buffer);
            }

            reader.AdvanceTo(whole.Buffer.Start, whole.Buffer.End);
        }

        var held = 0L;
        try
        {
            return await ReadSlowAsync();
        }
        finally
        {
            Interlocked.Add(ref _heldBytes, -held);
        }

        async ValueTask<T> ReadSlowAsync()
        {
            using var patience = new CancellationTokenSource(options.BodyPatience, time);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, http.RequestAborted);
            while (true)
            {
                ReadResult read;
                try
                {
                    read = await reader.ReadAsync(end.Token);
                }
                catch (OperationCanceledException) when (patience.IsCancellationRequested)
                {
                    throw new ApiException(StatusCodes.Status408RequestTimeout, ApiCodes.InvalidProperty, $"The body did not arrive within {options.BodyPatience.TotalSeconds:0.#} s.");
                }

                Exception? refusal = read.Buffer.Length > options.MaxBodyBytes ? TooLong() : TryHold(ref held, read.Buffer.Length);
                if (refusal is not null)
                {
                    reader.AdvanceTo(read.Buffer.End); // what is left of it is read over
                    throw refusal;
                }

                if (read.IsCompleted)
                {
                    return Parse(read.Buffer);
                }

                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }

        T Parse(ReadOnlySequence<byte> body)
        {
            try
            {
                return parse(body);
            }
            finally
            {
                reader.AdvanceTo(body.End);
            }
        }
    }

    private RequestException? TryHold(ref long held, long bytes)
    {
        var more = bytes - held;
        if (Interlocked.Add(ref _heldBytes, more) <= options.MaxArrivingBytes)
        {
            held = bytes;
            return null;
        }

        Interlocked.Add(ref _heldBytes, -more);
        return new RequestException(ErrorCodes.Overloaded, $"More than {options.MaxArrivingBytes} bytes of requests are on their way to this node. Nothing was done; try again.");
    }

    private ApiException TooLong() => new(
        StatusCodes.Status413PayloadTooLarge, ApiCodes.InvalidProperty, $"The body is longer than {options.MaxBodyBytes} bytes. Send less at once, or import a file.");
}
