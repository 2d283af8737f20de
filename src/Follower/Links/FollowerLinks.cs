using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using Promise = ReplicatedSqlite.Cluster.Promise;

namespace ReplicatedSqlite.Follower;

/// <summary>Finds followers by their journals: this node's own, or by the control plane's list of nodes.</summary>
/// <param name="local">This node's.</param>
/// <param name="find">The channel to the node with a journal, if one is alive.</param>
/// <param name="self">This node's id.</param>
/// <param name="time">For pauses.</param>
public sealed class FollowerLinks(FollowerNode local, Func<Guid, GrpcChannel?> find, string self, TimeProvider time) : IFollowerLinks
{
    private static readonly CallOptions _probe = new() { Timeout = TimeSpan.FromSeconds(1) };

    /// <inheritdoc/>
    public IFollowerLink Connect(Guid member, DatabaseId database, Promise promise, IFollowerEvents events)
    {
        FollowerLink link = member == local.JournalId
            ? new LocalFollowerLink(member, database, promise, events, time, local)
            : new GrpcFollowerLink(member, database, promise, events, time, find, self);
        link.Start();
        return link;
    }

    /// <inheritdoc/>
    public async Task<FollowerRead> ReadAsync(Guid member, DatabaseId database, Promise by, Position after, long maxBytes, CancellationToken cancellationToken)
    {
        if (member == local.JournalId)
        {
            return local.Read(database, member, by, after, maxBytes);
        }

        if (find(member) is not { } channel)
        {
            return new(FollowerReadOutcome.Unreachable, [], $"No node with journal {member} is alive.");
        }

        try
        {
            var request = new ReadLogRequest
            {
                DatabaseId = database.ToString(), JournalId = FollowerWire.EncodeJournal(member), Promise = FollowerWire.Encode(by), After = after.ToMessage(), MaxBytes = maxBytes,
            };
            await using var responses = channel.OpenServerStream(FollowerMethods.Read, request, null, cancellationToken);
            return await CollectAsync(responses, after, cancellationToken);
        }
        catch (Exception e) when (e is RpcException or EntryFormatException)
        {
            return new(FollowerReadOutcome.Unreachable, [], e.Message);
        }
    }

    /// <inheritdoc/>
    public async Task<bool?> ProbeAsync(Guid member, DatabaseId database, ulong activation, CancellationToken cancellationToken)
    {
        if (member == local.JournalId)
        {
            return local.Probe(database, member, activation);
        }

        if (find(member) is not { } channel)
        {
            return null;
        }

        try
        {
            var request = new ProbeRequest { DatabaseId = database.ToString(), JournalId = FollowerWire.EncodeJournal(member), Activation = activation };
            var answer = await channel.CallAsync(FollowerMethods.Probe, request, _probe, cancellationToken);
            return answer.IsMember ? answer.HasLost : null;
        }
        catch (RpcException)
        {
            return null;
        }
    }

    private static async Task<FollowerRead> CollectAsync(ServerStream<ReadLogResponse> responses, Position after, CancellationToken cancellationToken)
    {
        var entries = ImmutableArray.CreateBuilder<Entry>();
        var detail = "";
        var parts = new MemoryStream();
        var outcome = FollowerReadOutcome.Unreachable;
        await foreach (var response in responses.WithCancellation(cancellationToken))
        {
            outcome = response.Outcome switch
            {
                ReadLogOutcome.Read => FollowerReadOutcome.Read,
                ReadLogOutcome.Trimmed => FollowerReadOutcome.Trimmed,
                ReadLogOutcome.NotHeld => FollowerReadOutcome.NotHeld,
                ReadLogOutcome.Refused => FollowerReadOutcome.Refused,
                _ => FollowerReadOutcome.NotMember,
            };
            detail += response.Detail;
            foreach (var entry in response.Entries)
            {
                Add(Entry.Decode(entry.Memory));
            }

            if (!response.Part.IsEmpty)
            {
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
        }

        return new(outcome, outcome == FollowerReadOutcome.Read ? entries.DrainToImmutable() : [], detail);

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
}
