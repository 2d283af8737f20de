using Google.Protobuf.Reflection;
using global::Grpc.Reflection.V1;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>The standard reflection service, under both of its names: generic clients learn the services and messages from it. Thread-safe.</summary>
/// <remarks>Source: gRPC, "GRPC Server Reflection Protocol".</remarks>
public sealed class ReflectionService
{
    private const string Rpc = "ServerReflectionInfo";

    // The two versions differ in their names alone, so the messages of one serve both.
    private static readonly GrpcMethod<ServerReflectionRequest, ServerReflectionResponse> V1 =
        new("grpc.reflection.v1.ServerReflection", Rpc, MethodKind.Duplex) { IsEndless = true };

    private static readonly GrpcMethod<ServerReflectionRequest, ServerReflectionResponse> V1Alpha =
        new("grpc.reflection.v1alpha.ServerReflection", Rpc, MethodKind.Duplex) { IsEndless = true };

    private readonly DescribedSymbols _symbols;
    private readonly ListServiceResponse _services = new();

    /// <param name="files">Whose services are told of, besides the reflection service itself. What they import is told as well, but for its services.</param>
    public ReflectionService(params IReadOnlyList<FileDescriptor> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        FileDescriptor[] described = [.. files, ReflectionReflection.Descriptor, global::Grpc.Reflection.V1Alpha.ReflectionReflection.Descriptor];
        _symbols = new DescribedSymbols(described);
        foreach (var service in described.SelectMany(file => file.Services).OrderBy(service => service.FullName, StringComparer.Ordinal))
            _services.Service.Add(new ServiceResponse { Name = service.FullName });
    }

    /// <summary>Maps the rpc under both names.</summary>
    public void MapTo(GrpcServices services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.MapDuplex(V1, AnswerAsync).MapDuplex(V1Alpha, AnswerAsync);
    }

    private async ValueTask AnswerAsync(
        IAsyncEnumerable<ServerReflectionRequest> requests, IResponseWriter<ServerReflectionResponse> responses, ServerCallContext context)
    {
        var sent = new HashSet<string>(StringComparer.Ordinal); // names of files; there are a dozen
        await foreach (var request in requests)
        {
            var response = new ServerReflectionResponse { ValidHost = request.Host, OriginalRequest = request };
            Answer(request, response, sent);
            await responses.WriteAsync(response);
        }
    }

    private void Answer(ServerReflectionRequest request, ServerReflectionResponse response, HashSet<string> sent)
    {
        switch (request.MessageRequestCase)
        {
            case ServerReflectionRequest.MessageRequestOneofCase.ListServices:
                response.ListServicesResponse = _services;
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.FileByFilename:
                if (_symbols.FindFile(request.FileByFilename) is { } named) response.FileDescriptorResponse = Describe(named, sent);
                else response.ErrorResponse = NotFound("file", request.FileByFilename);
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.FileContainingSymbol:
                if (_symbols.FindFileOf(request.FileContainingSymbol) is { } containing) response.FileDescriptorResponse = Describe(containing, sent);
                else response.ErrorResponse = NotFound("symbol", request.FileContainingSymbol);
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.AllExtensionNumbersOfType:
                if (_symbols.IsMessage(request.AllExtensionNumbersOfType)) response.AllExtensionNumbersResponse = new() { BaseTypeName = request.AllExtensionNumbersOfType };
                else response.ErrorResponse = NotFound("message", request.AllExtensionNumbersOfType);
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.FileContainingExtension:
                response.ErrorResponse = NotFound("extension of", request.FileContainingExtension.ContainingType); // proto3 has none
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.None:
            default:
                response.ErrorResponse = new() { ErrorCode = (int)StatusCode.InvalidArgument, ErrorMessage = "The request asks for nothing that is known here." };
                break;
        }
    }

    private static ErrorResponse NotFound(string what, string name) => new() { ErrorCode = (int)StatusCode.NotFound, ErrorMessage = $"There is no {what} '{name}' here." };

    private static FileDescriptorResponse Describe(FileDescriptor file, HashSet<string> sent)
    {
        var response = new FileDescriptorResponse();
        Add(file, isAsked: true);
        return response;

        // Imports first. What was asked for is sent even if it was before: the client may have forgotten it.
        void Add(FileDescriptor next, bool isAsked)
        {
            if (!sent.Add(next.Name) && !isAsked) return;
            foreach (var import in next.Dependencies) Add(import, isAsked: false);
            response.FileDescriptorProto.Add(next.SerializedData);
        }
    }
}
