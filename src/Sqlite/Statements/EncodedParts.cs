using Google.Protobuf;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Parts of a result with their rows as bytes, for the way out.</summary>
public static class EncodedParts
{
    /// <summary>The same part. Header and end are shared with it.</summary>
    public static EncodedPart From(ResultPart part)
    {
        ArgumentNullException.ThrowIfNull(part);
        var encoded = new EncodedPart { StatementIndex = part.StatementIndex };
        switch (part.PartCase)
        {
            case ResultPart.PartOneofCase.Header:
                encoded.Header = part.Header;
                break;
            case ResultPart.PartOneofCase.Rows:
                encoded.Rows = part.Rows.ToByteString();
                break;
            case ResultPart.PartOneofCase.End:
                encoded.End = part.End;
                break;
        }

        return encoded;
    }
}
