using System.Text.Json;
using Google.Protobuf;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>Parameters as D1's clients send them: null, numbers, strings, booleans as 0 and 1, and BLOBs as arrays of byte values.</summary>
internal static class ParameterReader
{
    private const int MaxParameters = 32_766; // SQLITE_MAX_VARIABLE_NUMBER

    public static void Read(ref Utf8JsonReader reader, List<Value> parameters)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return;
        }

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw ApiException.Invalid($"Invalid property: params => an array was wanted, not {JsonBody.Name(reader.TokenType)}.");
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (parameters.Count == MaxParameters)
            {
                throw ApiException.Invalid($"Invalid property: params => more than {MaxParameters} values, which no statement can take.");
            }

            parameters.Add(ReadValue(ref reader, parameters.Count + 1));
        }
    }

    private static Value ReadValue(ref Utf8JsonReader reader, int number) => reader.TokenType switch
    {
        JsonTokenType.Null => new Value(),
        JsonTokenType.String => new Value { Text = reader.GetString() },
        JsonTokenType.True => new Value { Integer = 1 },
        JsonTokenType.False => new Value { Integer = 0 },
        JsonTokenType.Number => Number(ref reader, number),
        JsonTokenType.StartArray => new Value { Blob = Bytes(ref reader, number) },
        _ => throw ApiException.Query($"D1_TYPE_ERROR: Type 'object' not supported for parameter {number}."),
    };

    // 1 stays the integer that it is written as, also beyond 2^53, where D1 would round it.
    private static Value Number(ref Utf8JsonReader reader, int number)
    {
        if (reader.TryGetInt64(out var integer))
        {
            return new Value { Integer = integer };
        }

        return reader.TryGetDouble(out var real) && double.IsFinite(real)
            ? new Value { Real = real }
            : throw ApiException.Query($"D1_TYPE_ERROR: parameter {number} is a number beyond what a double can hold.");
    }

    private static ByteString Bytes(ref Utf8JsonReader reader, int number)
    {
        var bytes = new List<byte>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetByte(out var value))
            {
                throw ApiException.Query($"D1_TYPE_ERROR: parameter {number} is an array, which stands for a BLOB: numbers from 0 to 255 were wanted.");
            }

            bytes.Add(value);
        }

        return ByteString.CopyFrom(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes));
    }
}
