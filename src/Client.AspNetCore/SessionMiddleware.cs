using Microsoft.AspNetCore.Http;

namespace ReplicatedSqlite.AspNetCore;

/// <summary>Brings the bookmark of a request into its session, and that of the session into the response's head. One that the server refuses is answered with 409 and forgotten.</summary>
internal sealed class SessionMiddleware(RequestDelegate next)
{
    public async Task InvokeAsync(HttpContext context, RequestSession session)
    {
        session.Read(context.Request);
        context.Response.OnStarting(
            static state =>
            {
                var (response, session) = ((HttpResponse, RequestSession))state;
                session.Write(response);
                return Task.CompletedTask;
            },
            (context.Response, session));
        try
        {
            await next(context).ConfigureAwait(false);
        }
        catch (BookmarkRefusedException refused) when (session.HasGiven && !context.Response.HasStarted)
        {
            // Answered here: without a handler of the application the server would drop what tells the client to forget, and with one it may, too.
            session.Forget();
            context.Response.Clear();
            context.Response.StatusCode = StatusCodes.Status409Conflict;
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync(
                $"The bookmark that came with this request is not one of this database as it is now ({refused.Code}). Forget it and make the request again.\n", context.RequestAborted).ConfigureAwait(false);
        }
    }
}
