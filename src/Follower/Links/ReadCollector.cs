using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Follower;

/// <summary>Puts together what a follower sends of its log, and checks that it is a chain.</summary>
internal static class ReadCollector
{
    /// <exception cref="EntryFormatException">Something else came.</exception>
    public static async Task<FollowerRead> CollectAsync(ServerStream<ReadLogResponse> responses, Position after, CancellationToken cancellationToken)
    {
        var entries = ImmutableArray.CreateBuilder<Entry>();
        using var parts = new MemoryStream();
        var read = new FollowerRead(FollowerReadOutcome.NotMember, [], "it said nothing");
        await foreach (var response in responses.WithCancellation(cancellationToken))
        {
            read = new(OutcomeOf(response.Outcome), [], response.Detail, response.First.ToPosition());
            foreach (var entry in response.Entries)
            {
                Add(Entry.Decode(entry.Memory));
            }

            if (response.Part.IsEmpty)
            {
                continue;
            }

            parts.Write(response.Part.Span);
            if (parts.Length > EntryLimits.MaxEntryBytes)
            {
                throw new EntryFormatException($"An entry of more than {EntryLimits.MaxEntryBytes} bytes came in parts.");
            }

            if (response.IsLastPart)
            {
                Add(Entry.Decode(parts.ToArray()));
                parts.SetLength(0);
            }
        }

        return read.Outcome == FollowerReadOutcome.Read ? read with { Entries = entries.DrainToImmutable() } : read;

        void Add(Entry entry)
        {
            if (entry.Predecessor != after)
            {
                throw new EntryFormatException($"An entry behind {entry.Predecessor} came where the one behind {after} was wanted.");
            }

            entries.Add(entry);
            after = entry.End;
        }
    }

    private static FollowerReadOutcome OutcomeOf(ReadLogOutcome outcome) => outcome switch
    {
        ReadLogOutcome.Read => FollowerReadOutcome.Read,
        ReadLogOutcome.Trimmed => FollowerReadOutcome.Trimmed,
        ReadLogOutcome.NotHeld => FollowerReadOutcome.NotHeld,
        ReadLogOutcome.Refused => FollowerReadOutcome.Refused,
        _ => FollowerReadOutcome.NotMember,
    };
}
