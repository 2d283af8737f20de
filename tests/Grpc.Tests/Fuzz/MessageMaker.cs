using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>Fills messages of any type with random values.</summary>
internal static class MessageMaker
{
    private static readonly string[] Texts = ["", "d", "SELECT 1", "latest", "00000001-0000000000000001-0000000000000000", "ü☺", "\0", "a'; DROP TABLE t; --"];

    public static IMessage Make(MessageDescriptor type, Random random, int depth = 0)
    {
        var message = type.Parser.ParseFrom(ByteString.Empty);
        foreach (var field in type.Fields.InDeclarationOrder())
        {
            if (field.IsMap || depth > 4 || random.Next(3) == 0) continue;
            if (!field.IsRepeated)
            {
                field.Accessor.SetValue(message, Value(field, random, depth));
                continue;
            }

            var list = (System.Collections.IList)field.Accessor.GetValue(message);
            for (var i = random.Next(3); i > 0; i--) list.Add(Value(field, random, depth));
        }

        return message;
    }

    private static object Value(FieldDescriptor field, Random random, int depth) => field.FieldType switch
    {
        FieldType.Message => Make(field.MessageType, random, depth + 1),
        FieldType.String => Texts[random.Next(Texts.Length)],
        FieldType.Bytes => ByteString.CopyFrom(new byte[random.Next(8)]),
        FieldType.Bool => random.Next(2) == 0,
        FieldType.Double => random.NextDouble(),
        FieldType.Float => random.NextSingle(),
        FieldType.Enum => Enum.ToObject(field.EnumType.ClrType, random.Next(-1, 5)),
        FieldType.UInt32 or FieldType.Fixed32 => (uint)random.NextInt64(),
        FieldType.UInt64 or FieldType.Fixed64 => (ulong)random.NextInt64(),
        FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 => random.NextInt64(long.MinValue, long.MaxValue),
        _ => random.Next(int.MinValue, int.MaxValue),
    };
}
