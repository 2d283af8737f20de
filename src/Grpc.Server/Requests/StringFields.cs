using System.Collections.Concurrent;
using System.Text;
using System.Text.Unicode;
using Google.Protobuf.Reflection;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Which fields of a message hold text, and whether the text in some bytes is UTF-8. The runtime replaces bad bytes silently, so they are looked at before.</summary>
/// <remarks>One instance a message type for the process; thread-safe. Source of the format: "Protocol Buffers: Encoding".</remarks>
internal sealed class StringFields
{
    private const int MaxDepth = 100; // the parser's own limit

    private static readonly ConcurrentDictionary<MessageDescriptor, StringFields> Known = new(); // as many as message types are compiled in

    private readonly Dictionary<int, FieldDescriptor> _fields = [];
    private readonly Dictionary<int, StringFields> _messages = [];

    private StringFields()
    {
    }

    /// <summary>The fields of one message type.</summary>
    public static StringFields Of(MessageDescriptor descriptor)
    {
        if (Known.TryGetValue(descriptor, out var known)) return known;
        var types = new Dictionary<MessageDescriptor, StringFields>(); // types may contain themselves
        var fields = Build(descriptor, types);
        foreach (var (type, built) in types) Known.TryAdd(type, built); // only now: all of them are complete
        return fields;
    }

    /// <summary>The name of the first text field whose bytes are not UTF-8; <see langword="null"/> if all is well or the bytes are no message at all.</summary>
    public string? FindInvalid(ReadOnlySpan<byte> message)
    {
        // ASCII as a whole needs no closer look. (Valid UTF-8 as a whole would prove nothing: half a character at the end of a text
        // and the first byte of the next field's tag can together look like one.)
        return Ascii.IsValid(message) ? null : Walk(message, 0);
    }

    private static StringFields Build(MessageDescriptor descriptor, Dictionary<MessageDescriptor, StringFields> types)
    {
        if (types.TryGetValue(descriptor, out var known)) return known;
        var fields = new StringFields();
        types.Add(descriptor, fields);
        foreach (var field in descriptor.Fields.InDeclarationOrder())
        {
            if (field.FieldType == FieldType.String) fields._fields.Add(field.FieldNumber, field);
            else if (field.FieldType == FieldType.Message) fields._messages.Add(field.FieldNumber, Build(field.MessageType, types));
        }

        return fields;
    }

    private string? Walk(ReadOnlySpan<byte> message, int depth)
    {
        if (depth > MaxDepth) return null; // the parser refuses it
        var reader = new WireReader(message);
        while (reader.TryReadField(out var number, out var value))
        {
            if (value.IsEmpty) continue; // not length-delimited, or nothing in it
            if (_fields.TryGetValue(number, out var text))
            {
                if (!Utf8.IsValid(value)) return text.FullName;
            }
            else if (_messages.TryGetValue(number, out var nested) && nested.Walk(value, depth + 1) is { } found)
            {
                return found;
            }
        }

        return null;
    }
}
