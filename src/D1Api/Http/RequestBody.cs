using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace ReplicatedSqlite.D1Api;

/// <summary>Reads a request's body whole, within bounds of size and time, so that a slow or endless one costs nobody else anything.</summary>
internal static class RequestBody
{
    /// <summary>Calls <paramref name="parse"/> with the body's bytes.</summary>
    /// <exception cref="ApiException">It is too long, took too long, or was refused by <paramref name="parse"/>.</exception>
    public static async ValueTask<T> ReadAsync<T>(HttpContext http, D1ApiOptions options, TimeProvider time, Func<ReadOnlySequence<byte>, T> parse)
    {
        var reader = http.Request.BodyReader;
        if (http.Request.ContentLength > options.MaxBodyBytes)
        {
            throw TooLong(options);
        }

        if (reader.TryRead(out var whole)) // the usual body came with its head
        {
            if (whole.IsCompleted && whole.Buffer.Length <= options.MaxBodyBytes)
            {
                return Parse(whole.Buffer);
            }

            reader.AdvanceTo(whole.Buffer.Start, whole.Buffer.End);
        }

        using var patience = new CancellationTokenSource(options.BodyPatience, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, http.RequestAborted);
        while (true)
        {
            System.IO.Pipelines.ReadResult read;
            try
            {
                read = await reader.ReadAsync(end.Token);
            }
            catch (OperationCanceledException) when (patience.IsCancellationRequested)
            {
                throw new ApiException(StatusCodes.Status408RequestTimeout, ApiCodes.InvalidProperty, $"The body did not arrive within {options.BodyPatience.TotalSeconds:0.#} s.");
            }

            if (read.Buffer.Length > options.MaxBodyBytes)
            {
                throw TooLong(options);
            }

            if (read.IsCompleted)
            {
                return Parse(read.Buffer);
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
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

    private static ApiException TooLong(D1ApiOptions options) => new(
        StatusCodes.Status413PayloadTooLarge, ApiCodes.InvalidProperty, $"The body is longer than {options.MaxBodyBytes} bytes. Send less at once, or import a file.");
}
