using Google.Protobuf;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Primary;

/// <summary>A write's answer as it is kept beside its idempotency key.</summary>
/// <remarks>Whole up to 64 KiB; beyond that what each statement did, without columns and rows; not even that when it is too large as well.
/// Format: of an Execute an <see cref="ExecuteResponse"/> with results alone, of a Stream its <see cref="ResultPart"/>s, each after its length.</remarks>
internal static class StoredResult
{
    public const int MaxBytes = 64 << 10;

    public static byte[]? Of(IReadOnlyList<Result> results)
    {
        var whole = new ExecuteResponse { Results = { results } };
        if (whole.CalculateSize() > MaxBytes)
        {
            whole = new ExecuteResponse { Results = { results.Select(static result => new Result { Meta = result.Meta }) } };
        }

        return whole.CalculateSize() <= MaxBytes ? whole.ToByteArray() : null;
    }

    public static byte[]? Of(IReadOnlyList<ResultPart> parts) => TryWrite(parts) ?? TryWrite(parts.Select(WithoutRows).OfType<ResultPart>());

    public static IEnumerable<Result> Results(byte[]? stored) => stored is null ? [] : ExecuteResponse.Parser.ParseFrom(stored).Results;

    public static IEnumerable<ResultPart> Parts(byte[]? stored)
    {
        if (stored is null)
        {
            yield break;
        }

        using var input = new MemoryStream(stored);
        while (input.Position < input.Length)
        {
            yield return ResultPart.Parser.ParseDelimitedFrom(input);
        }
    }

    private static byte[]? TryWrite(IEnumerable<ResultPart> parts)
    {
        using var output = new MemoryStream();
        foreach (var part in parts)
        {
            if (output.Length + part.CalculateSize() + 5 > MaxBytes)
            {
                return null;
            }

            part.WriteDelimitedTo(output);
        }

        return output.ToArray();
    }

    private static ResultPart? WithoutRows(ResultPart part) => part.PartCase switch
    {
        ResultPart.PartOneofCase.Header => new ResultPart { StatementIndex = part.StatementIndex, Header = new ResultHeader() },
        ResultPart.PartOneofCase.Rows => null,
        _ => part,
    };
}
