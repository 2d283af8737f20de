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
        ulong v => new Value { Integer = unchecked((long)v) }, // the same bits, as Microsoft.Data.Sqlite does
        Enum v => new Value { Integer = IntegerOf(v) },
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
        _ => throw new ArgumentException(NoForm(value, parameter), nameof(value)),
    };

    /// <summary>What is said of a value of a type that cannot be stored.</summary>
    public static string NoForm(object value, string parameter) =>
        $"Parameter {parameter} is a {value.GetType()}, which has no form in SQLite. Pass a number, bool, string, bytes, Guid, a date or time, an enum, or null (DBNull.Value).";

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

    /// <summary>A value stored in another class than its own, where Microsoft.Data.Sqlite has a form for that.</summary>
    public static Value Write(object? value, ReplicatedSqliteType type, string parameter) => (value, type) switch
    {
        (null or DBNull, _) => new Value(),
        (DateTime v, ReplicatedSqliteType.Real) => new Value { Real = JulianDay.FromDateTime(v) },
        (DateTimeOffset v, ReplicatedSqliteType.Real) => new Value { Real = JulianDay.FromDateTime(v.UtcDateTime) },
        (DateOnly v, ReplicatedSqliteType.Real) => new Value { Real = JulianDay.FromDateTime(v.ToDateTime(default)) },
        (TimeOnly v, ReplicatedSqliteType.Real) => new Value { Real = JulianDay.FromDateTime(new DateTime(v.Ticks)) },
        (TimeSpan v, ReplicatedSqliteType.Real) => new Value { Real = v.TotalDays },
        (decimal v, ReplicatedSqliteType.Real) => new Value { Real = (double)v },
        (Guid v, ReplicatedSqliteType.Blob) => new Value { Blob = ByteString.CopyFrom(v.ToByteArray()) },
        (char v, ReplicatedSqliteType.Integer) => new Value { Integer = v },
        (string v, ReplicatedSqliteType.Blob) => new Value { Blob = ByteString.CopyFromUtf8(v) },
        (Enum v, ReplicatedSqliteType.Text) => Text(v.ToString(), parameter),
        (bool or sbyte or byte or short or ushort or int or uint or long or ulong or Enum, ReplicatedSqliteType.Text) =>
            Text(Write(value, parameter).Integer.ToString(CultureInfo.InvariantCulture), parameter),
        (bool or sbyte or byte or short or ushort or int or uint or long, ReplicatedSqliteType.Real) => new Value { Real = Convert.ToDouble(value, CultureInfo.InvariantCulture) },
        _ => Write(value, parameter),
    };

    private static long IntegerOf(Enum value) => Enum.GetUnderlyingType(value.GetType()) == typeof(ulong)
        ? unchecked((long)Convert.ToUInt64(value, CultureInfo.InvariantCulture))
        : Convert.ToInt64(value, CultureInfo.InvariantCulture);

    private static Value Text(string text, string parameter)
    {
        CheckText(text, $"The value of parameter {parameter}");
        return new Value { Text = text };
    }
}
