using System.Globalization;
using System.Text;
using Google.Protobuf;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>Turns .NET values into values of the contract.</summary>
internal static class SqlValueWriter
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static Value Write(object? value, string parameter) => value switch
    {
        null or DBNull => new Value(),
        long v => new Value { Integer = v },
        int v => new Value { Integer = v },
        string v => Text(v, parameter),
        double v => new Value { Real = v },
        byte[] v => new Value { Blob = ByteString.CopyFrom(v) },
        bool v => new Value { Integer = v ? 1 : 0 },
        short or sbyte or byte or ushort or uint => new Value { Integer = Convert.ToInt64(value, CultureInfo.InvariantCulture) },
        ulong v => v <= long.MaxValue
            ? new Value { Integer = (long)v }
            : throw new ArgumentException($"The value {v} of parameter {parameter} is above SQLite's largest integer, {long.MaxValue}. Pass it as text.", nameof(value)),
        Enum v => new Value { Integer = Convert.ToInt64(v, CultureInfo.InvariantCulture) },
        float v => new Value { Real = v },
        char v => Text(v.ToString(), parameter),
        ReadOnlyMemory<byte> v => new Value { Blob = ByteString.CopyFrom(v.Span) },
        Memory<byte> v => new Value { Blob = ByteString.CopyFrom(v.Span) },
        ArraySegment<byte> v => new Value { Blob = ByteString.CopyFrom(v) },
        decimal v => new Value { Text = v.ToString("0.0###########################", CultureInfo.InvariantCulture) },
        Guid v => new Value { Text = v.ToString("D").ToUpperInvariant() },
        DateTime v => new Value { Text = v.ToString("yyyy-MM-dd HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture) },
        DateTimeOffset v => new Value { Text = v.ToString("yyyy-MM-dd HH:mm:ss.FFFFFFFzzz", CultureInfo.InvariantCulture) },
        DateOnly v => new Value { Text = v.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) },
        TimeOnly v => new Value { Text = v.ToString(v.Ticks % TimeSpan.TicksPerSecond == 0 ? "HH:mm:ss" : "HH:mm:ss.fffffff", CultureInfo.InvariantCulture) },
        TimeSpan v => new Value { Text = v.ToString("c", CultureInfo.InvariantCulture) },
        _ => throw new ArgumentException(
            $"Parameter {parameter} is a {value.GetType()}, which has no form in SQLite. Pass null, a number, a string or bytes.", nameof(value)),
    };

    /// <summary>Refuses half surrogate pairs: protobuf would replace them silently.</summary>
    public static void CheckText(string text, string what)
    {
        try
        {
            _ = Strict.GetByteCount(text);
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException($"{what} holds half of a surrogate pair at index {e.Index}, which is no text in UTF-8.", nameof(text), e);
        }
    }

    private static Value Text(string text, string parameter)
    {
        CheckText(text, $"The value of parameter {parameter}");
        return new Value { Text = text };
    }
}
