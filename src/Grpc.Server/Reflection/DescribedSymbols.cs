using Google.Protobuf.Reflection;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Which file describes what, for some files and all they import. Immutable.</summary>
internal sealed class DescribedSymbols
{
    private readonly Dictionary<string, FileDescriptor> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FileDescriptor> _symbols = new(StringComparer.Ordinal);
    private readonly HashSet<string> _messages = new(StringComparer.Ordinal);

    public DescribedSymbols(IEnumerable<FileDescriptor> files)
    {
        foreach (var file in files) Add(file);
    }

    public FileDescriptor? FindFile(string name) => _files.GetValueOrDefault(name);

    public FileDescriptor? FindFileOf(string symbol) => _symbols.GetValueOrDefault(symbol);

    public bool IsMessage(string name) => _messages.Contains(name);

    private void Add(FileDescriptor file)
    {
        if (!_files.TryAdd(file.Name, file)) return;
        foreach (var import in file.Dependencies) Add(import);
        foreach (var message in file.MessageTypes) Add(message);
        foreach (var type in file.EnumTypes) Add(type);
        foreach (var service in file.Services)
        {
            Add(service);
            foreach (var method in service.Methods) Add(method);
        }
    }

    private void Add(MessageDescriptor message)
    {
        Add((IDescriptor)message);
        _messages.Add(message.FullName);
        foreach (var field in message.Fields.InDeclarationOrder()) Add(field);
        foreach (var oneof in message.Oneofs) Add(oneof);
        foreach (var nested in message.NestedTypes) Add(nested);
        foreach (var type in message.EnumTypes) Add(type);
    }

    private void Add(EnumDescriptor type)
    {
        Add((IDescriptor)type);
        foreach (var value in type.Values) Add(value);
    }

    private void Add(IDescriptor symbol) => _symbols[symbol.FullName] = symbol.File;
}
