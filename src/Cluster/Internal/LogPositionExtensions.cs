using Google.Protobuf;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>Positions as messages, and back.</summary>
public static class LogPositionExtensions
{
    /// <summary>The message for a position.</summary>
    public static LogPosition ToMessage(this Position position)
    {
        Span<byte> hash = stackalloc byte[ChainHash.SizeBytes];
        position.Hash.Write(hash);
        return new LogPosition { Epoch = position.Epoch, Sequence = position.Sequence, Hash = ByteString.CopyFrom(hash) };
    }

    /// <summary>The position in a message; <see cref="Position.Start"/> for none.</summary>
    /// <exception cref="FormatException">The hash has not its 16 bytes.</exception>
    public static Position ToPosition(this LogPosition? message)
    {
        if (message is null || message.Hash.IsEmpty)
        {
            return Position.Start;
        }

        return message.Hash.Length == ChainHash.SizeBytes
            ? new Position(message.Epoch, message.Sequence, ChainHash.Read(message.Hash.Span))
            : throw new FormatException($"A log position carries a hash of {message.Hash.Length} bytes; {ChainHash.SizeBytes} are wanted.");
    }
}
