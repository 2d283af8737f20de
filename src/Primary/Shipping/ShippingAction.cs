using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>What the shell is to do for one subscriber.</summary>
/// <param name="Kind">What.</param>
/// <param name="Subscriber">For whom.</param>
/// <param name="Position">The entry to send, the mark to send, or where to read on in the log.</param>
internal readonly record struct ShippingAction(ShippingActionKind Kind, int Subscriber, Position Position);

/// <summary>Kinds of <see cref="ShippingAction"/>.</summary>
internal enum ShippingActionKind
{
    /// <summary>Send the entry that was just appended.</summary>
    SendEntry,

    /// <summary>Send a mark. Whatever it names was sent before.</summary>
    SendMark,

    /// <summary>Read the log after <see cref="ShippingAction.Position"/>, send what was read, and report it by <see cref="ShippingCore.LogRead"/>.</summary>
    ReadLog,
}
