using System.Net;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Servers that give back what they got: Kestrel alone, which is the limit, and our gRPC on it. And one that answers with rows, in gzip for those who take it.</summary>
internal static class EchoServers
{
    public static readonly GrpcMethod<BytesValue, BytesValue> Method = new("bench.Echo", "Echo", MethodKind.Unary);

    /// <summary>Asks for rows of that many bytes.</summary>
    public static readonly GrpcMethod<Int32Value, ExecuteResponse> Rows = new("bench.Echo", "Rows", MethodKind.Unary);

    public static Task<WebApplication> StartBareAsync(CancellationToken cancellationToken) => StartAsync(app => app.Run(EchoAsync), cancellationToken);

    public static Task<WebApplication> StartGrpcAsync(CancellationToken cancellationToken) =>
        StartAsync(app => app.MapGrpc().MapUnary(Method, static (request, _) => ValueTask.FromResult(request)), cancellationToken);

    public static Task<WebApplication> StartGzipAsync(CancellationToken cancellationToken)
    {
        var answers = RowsAnswer.Sizes.ToDictionary(size => size, RowsAnswer.Create);
        return StartAsync(
            app => app.MapGrpc(new GrpcServerOptions { GzipResponsesFromBytes = 1 }).MapUnary(Rows, (request, _) => ValueTask.FromResult(answers[request.Value])),
            cancellationToken);
    }

    private static async Task<WebApplication> StartAsync(Action<WebApplication> map, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureForGrpc();
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseGrpc());
        });
        var app = builder.Build();
        map(app);
        await app.StartAsync(cancellationToken);
        return app;
    }

    // The whole body first, then one answer of known length: as a unary call does it.
    private static async Task EchoAsync(HttpContext http)
    {
        var body = http.Request.BodyReader;
        var read = await body.ReadAsync();
        while (!read.IsCompleted)
        {
            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            read = await body.ReadAsync();
        }

        http.Response.ContentLength = read.Buffer.Length;
        foreach (var segment in read.Buffer)
        {
            segment.Span.CopyTo(http.Response.BodyWriter.GetSpan(segment.Length));
            http.Response.BodyWriter.Advance(segment.Length);
        }

        body.AdvanceTo(read.Buffer.End);
    }
}
