using Microsoft.AspNetCore.Http;

namespace ReplicatedSqlite.AspNetCore;

/// <summary>Brings the bookmark of a request into its session, and that of the session into the response's head.</summary>
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
        catch (BookmarkRefusedException) when (!context.Response.HasStarted)
        {
            // Whoever makes an error page of this clears the response first: the cookie goes when the head is sent.
            context.Response.OnStarting(
                static state =>
                {
                    var (response, session) = ((HttpResponse, RequestSession))state;
                    session.Forget(response);
                    return Task.CompletedTask;
                },
                (context.Response, session));
            throw;
        }
    }
}
