using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.D1Api;

/// <summary>What stands around every request: failures become envelopes, and accounts and web pages that have no business here are refused.</summary>
internal sealed class ApiPipeline(INodeCalls node, D1ApiOptions options, ILogger logger)
{
    private const string OldKeyHeader = "X-Auth-Key"; // Cloudflare's older way to send a token, with X-Auth-Email beside it

    private readonly BrowserRules _browsers = new(options);

    /// <param name="handler">Answers.</param>
    /// <param name="isSigned">The request's address is its token.</param>
    public RequestDelegate Guard(RequestDelegate handler, bool isSigned = false) => async http =>
    {
        try
        {
            TakeOldKey(http.Request.Headers);
            _browsers.Check(http, isSigned);
            CheckAccount(http);
            if (!isSigned && !HttpMethods.IsOptions(http.Request.Method)) // browsers ask without a token whether a page may send one
            {
                await node.CheckAsync(http);
            }

            await handler(http);
            await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client has gone.
        }
#pragma warning disable CA1031 // Whatever it is, it becomes an envelope.
        catch (Exception e)
        {
            await FailAsync(http, e);
        }
#pragma warning restore CA1031
    };

    private async Task FailAsync(HttpContext http, Exception failure)
    {
        var error = ApiError.Of(failure, http.Request.RouteValues.TryGetValue("database", out var name) ? name as string : null);
        if (error.Status >= StatusCodes.Status500InternalServerError && failure is not (RequestException or RpcException))
        {
            D1Log.Unexpected(logger, http.Request.Path, failure);
        }

        var answered = http.Response.BodyWriter;
        if (http.Response.HasStarted || (answered.CanGetUnflushedBytes && answered.UnflushedBytes > 0))
        {
            http.Abort(); // half an answer must not look like a whole one
            return;
        }

        BookmarkHeader.Write(http, error.Detail?.Bookmark);
        Answer.Write(http, error);
        if (error.Status is StatusCodes.Status413PayloadTooLarge or StatusCodes.Status408RequestTimeout)
        {
            http.Response.Headers.Connection = "close"; // what is left of the body would be read as the next request
        }

        await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
    }

    private static void TakeOldKey(IHeaderDictionary headers)
    {
        if (!headers.ContainsKey("Authorization") && headers.TryGetValue(OldKeyHeader, out var key))
        {
            headers.Authorization = $"Bearer {key}";
        }
    }

    private void CheckAccount(HttpContext http)
    {
        if (options.Account is { } account && http.Request.RouteValues.TryGetValue("account", out var asked) && !string.Equals(asked as string, account, StringComparison.Ordinal))
        {
            throw new ApiException(StatusCodes.Status403Forbidden, ApiCodes.NotAuthorized, "The given account is not valid or is not authorized to access this service");
        }
    }
}
