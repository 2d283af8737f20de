using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Grpc.Tests.Interop;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>The interoperability service on our server, as its specification describes it.</summary>
internal static class TestService
{
    private const string EchoInitial = "x-grpc-test-echo-initial";
    private const string EchoTrailing = "x-grpc-test-echo-trailing-bin";

    public static void MapTestService(this GrpcServices services) => services
        .MapUnary(TestMethods.EmptyCall, (_, _) => new ValueTask<Empty>(new Empty()))
        .MapUnary(TestMethods.UnaryCall, (request, context) =>
        {
            EchoMetadata(context);
            ThrowIfAsked(request.ResponseStatus);
            return new ValueTask<SimpleResponse>(new SimpleResponse { Payload = TestMethods.PayloadOf(request.ResponseSize) });
        })
        .MapServerStreaming(TestMethods.StreamingOutput, (request, responses, context) => AnswerAsync(request, responses, context))
        .MapClientStreaming(TestMethods.StreamingInput, async (requests, context) =>
        {
            var sum = 0;
            await foreach (var request in requests) sum += request.Payload.Body.Length;
            return new StreamingInputCallResponse { AggregatedPayloadSize = sum };
        })
        .MapDuplex(TestMethods.FullDuplex, async (requests, responses, context) =>
        {
            EchoMetadata(context);
            await context.SendHeadersAsync();
            await foreach (var request in requests) await AnswerAsync(request, responses, context);
        });

    private static async ValueTask AnswerAsync(
        StreamingOutputCallRequest request, IResponseWriter<StreamingOutputCallResponse> responses, ServerCallContext context)
    {
        ThrowIfAsked(request.ResponseStatus);
        foreach (var parameters in request.ResponseParameters)
        {
            if (parameters.IntervalUs > 0) await Task.Delay(TimeSpan.FromMicroseconds(parameters.IntervalUs), context.CancellationToken);
            await responses.WriteAsync(new StreamingOutputCallResponse { Payload = TestMethods.PayloadOf(parameters.Size) });
        }
    }

    private static void EchoMetadata(ServerCallContext context)
    {
        if (context.RequestHeaders.TryGet(EchoInitial, out var initial)) context.ResponseHeaders.Add(EchoInitial, initial);
        if (context.RequestHeaders.TryGetBinary(EchoTrailing, out var trailing)) context.ResponseTrailers.AddBinary(EchoTrailing, trailing.Span);
    }

    private static void ThrowIfAsked(EchoStatus? status)
    {
        if (status is { Code: not 0 }) throw new RpcException((StatusCode)status.Code, status.Message);
    }
}
