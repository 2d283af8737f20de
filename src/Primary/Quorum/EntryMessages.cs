using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>Puts entries into messages: as many as fit into one, and one that is too large into parts.</summary>
internal static class EntryMessages
{
    /// <summary>Sends consecutive entries.</summary>
    public static void Send(Promise promise, Guid member, Position previous, ImmutableArray<Entry> entries, int maxBytes, List<LeaderAction> actions)
    {
        var from = 0;
        var bytes = 0;
        for (var i = 0; i < entries.Length; i++)
        {
            var length = entries[i].Encoded.Length;
            if (i > from && bytes + length > maxBytes)
            {
                actions.Add(LeaderAction.Send(member, new Append(promise, previous, entries[from..i])));
                (previous, from, bytes) = (entries[i].Predecessor, i, 0);
            }

            bytes += length;
            if (length > maxBytes)
            {
                SendParts(promise, member, entries[i], maxBytes, actions);
                (previous, from, bytes) = (entries[i].End, i + 1, 0);
            }
        }

        if (from < entries.Length)
        {
            actions.Add(LeaderAction.Send(member, new Append(promise, previous, from == 0 ? entries : entries[from..])));
        }
    }

    /// <summary>Sends one entry in parts.</summary>
    public static void SendParts(Promise promise, Guid member, Entry entry, int maxBytes, List<LeaderAction> actions)
    {
        var rest = entry.Encoded;
        for (var number = 0; !rest.IsEmpty; number++)
        {
            var part = rest[..Math.Min(maxBytes, rest.Length)];
            rest = rest[part.Length..];
            actions.Add(LeaderAction.Send(member, new AppendPart(promise, entry.Predecessor, entry.Header.Epoch, entry.Header.FirstSequence, number, rest.IsEmpty, part)));
        }
    }
}
