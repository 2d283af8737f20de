using System.Collections.Immutable;
using Google.Protobuf;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using Down = ReplicatedSqlite.Internal.V1.FollowResponse.Types;
using Up = ReplicatedSqlite.Internal.V1.FollowRequest.Types;

namespace ReplicatedSqlite.Cluster;

/// <summary>What leaders and followers say, as messages on the wire and back. Entries travel as the bytes they were encoded in, uncopied.</summary>
public static class FollowerWire
{
    /// <summary>Messages aim at this size; a larger entry travels in parts.</summary>
    public const int TargetBytes = 4 << 20;

    /// <summary>A leader's message as one or more: entries are divided over messages, and a large one into parts.</summary>
    public static IEnumerable<FollowRequest> Encode(LeaderMessage message)
    {
        switch (message)
        {
            case Append append:
                return EncodeEntries(append);
            case Seal seal:
                return [New(message, to => to.Seal = new() { Deletes = seal.Deletes })];
            case AppendPart part:
                return [EncodePart(part)];
            case StartAt start:
                return [New(message, to => to.StartAt = new() { Base = start.Base.ToMessage(), Sets = Encode(start.Sets) })];
            case Mark mark:
                return [New(message, to => to.Mark = new() { Position = mark.Position.ToMessage() })];
            case Heartbeat heartbeat:
                return [New(message, to => to.Heartbeat = new() { SentAt = heartbeat.SentAt })];
            case Trim trim:
                return [New(message, to => to.Trim = new() { To = trim.To.ToMessage() })];
            case Resign:
                return [New(message, static to => to.Resign = new())];
            default:
                throw new ArgumentException($"A {message.GetType().Name} has no form on the wire.", nameof(message));
        }
    }

    /// <summary>A leader's message; entries are checked whole.</summary>
    /// <exception cref="EntryFormatException">An entry, or follower sets, are damaged.</exception>
    /// <exception cref="FormatException">Something else is.</exception>
    public static LeaderMessage Decode(FollowRequest request)
    {
        var promise = Decode(request.Promise);
        return request.MessageCase switch
        {
            FollowRequest.MessageOneofCase.Seal => new Seal(promise, request.Seal.Deletes),
            FollowRequest.MessageOneofCase.Append => new Append(promise, request.Append.Previous.ToPosition(), [.. request.Append.Entries.Select(static entry => Entry.Decode(entry.Memory))]),
            FollowRequest.MessageOneofCase.Part => new AppendPart(
                promise, request.Part.Previous.ToPosition(), request.Part.EntryEpoch, request.Part.FirstSequence, request.Part.Number, request.Part.IsLast, request.Part.Data.Memory),
            FollowRequest.MessageOneofCase.StartAt => new StartAt(promise, request.StartAt.Base.ToPosition(), Decode(request.StartAt.Sets)),
            FollowRequest.MessageOneofCase.Mark => new Mark(promise, request.Mark.Position.ToPosition()),
            FollowRequest.MessageOneofCase.Heartbeat => new Heartbeat(promise, request.Heartbeat.SentAt),
            FollowRequest.MessageOneofCase.Trim => new Trim(promise, request.Trim.To.ToPosition()),
            FollowRequest.MessageOneofCase.Resign => new Resign(promise),
            _ => throw new FormatException($"A leader's message of kind {request.MessageCase} was not expected here."),
        };
    }

    /// <summary>A follower's answer.</summary>
    public static FollowResponse Encode(FollowerMessage message)
    {
        var to = new FollowResponse { Promise = Encode(message.Promise) };
        switch (message)
        {
            case Promised promised:
                to.Promised = new()
                {
                    Last = promised.Last.ToMessage(), First = promised.First.ToMessage(), Confirmed = promised.Confirmed.ToMessage(), Sets = Encode(promised.Sets),
                };
                break;
            case Refused refused:
                to.Refused = new() { Instead = Encode(refused.Instead), Deleted = refused.Deleted };
                break;
            case NotMember not:
                to.NotMember = new() { Reason = not.Reason };
                break;
            case Acked acked:
                to.Acked = new() { Position = acked.Position.ToMessage() };
                break;
            case Mismatched mismatched:
                to.Mismatched = new() { Previous = mismatched.Previous.ToMessage(), Own = mismatched.Own.ToMessage(), First = mismatched.First.ToMessage() };
                break;
            case HeartbeatAcked acked:
                to.HeartbeatAcked = new() { SentAt = acked.SentAt };
                break;
            default:
                throw new ArgumentException($"A {message.GetType().Name} has no form on the wire.", nameof(message));
        }

        return to;
    }

    /// <summary>A follower's answer.</summary>
    /// <exception cref="EntryFormatException">Follower sets are damaged.</exception>
    /// <exception cref="FormatException">Something else is.</exception>
    public static FollowerMessage Decode(FollowResponse response)
    {
        var promise = Decode(response.Promise);
        return response.MessageCase switch
        {
            FollowResponse.MessageOneofCase.Promised => Decode(promise, response.Promised),
            FollowResponse.MessageOneofCase.Refused => new Refused(promise, Decode(response.Refused.Instead), response.Refused.Deleted),
            FollowResponse.MessageOneofCase.NotMember => new NotMember(promise, response.NotMember.Reason),
            FollowResponse.MessageOneofCase.Acked => new Acked(promise, response.Acked.Position.ToPosition()),
            FollowResponse.MessageOneofCase.Mismatched => new Mismatched(
                promise, response.Mismatched.Previous.ToPosition(), response.Mismatched.Own.ToPosition(), response.Mismatched.First.ToPosition()),
            FollowResponse.MessageOneofCase.HeartbeatAcked => new HeartbeatAcked(promise, response.HeartbeatAcked.SentAt),
            _ => throw new FormatException($"A follower's message of kind {response.MessageCase} is not known."),
        };
    }

    /// <summary>A promise.</summary>
    public static LeaderPromise Encode(Promise promise) => new() { Epoch = promise.Epoch, Activation = promise.Activation };

    /// <summary>A promise; none for none.</summary>
    public static Promise Decode(LeaderPromise? promise) => promise is null ? Promise.None : new(promise.Epoch, promise.Activation);

    /// <summary>A journal's id.</summary>
    public static ByteString EncodeJournal(Guid journal) => ByteString.CopyFrom(journal.ToByteArray(bigEndian: true));

    /// <summary>A journal's id.</summary>
    /// <exception cref="FormatException">It has not its 16 bytes.</exception>
    public static Guid DecodeJournal(ByteString journal) =>
        journal.Length == 16 ? new(journal.Span, bigEndian: true) : throw new FormatException($"A journal id of {journal.Length} bytes was found; 16 are wanted.");

    private static Promised Decode(Promise promise, Down.Promised promised) => new(
        promise, promised.Last.ToPosition(), promised.First.ToPosition(), promised.Confirmed.ToPosition(), Decode(promised.Sets));

    /// <summary>Follower sets and where they were decided.</summary>
    public static KnownFollowerSets? Encode(KnownSets? known) => known is null
        ? null
        : new() { DecidedAt = known.DecidedAt.ToMessage(), Sets = UnsafeByteOperations.UnsafeWrap(known.Sets.Encode()) };

    /// <summary>Follower sets and where they were decided.</summary>
    /// <exception cref="EntryFormatException">They are damaged.</exception>
    public static KnownSets? Decode(KnownFollowerSets? known) => known is null ? null : new(known.DecidedAt.ToPosition(), FollowerSets.Decode(known.Sets.Span));

    private static FollowRequest New(LeaderMessage message, Action<FollowRequest> fill)
    {
        var request = new FollowRequest { Promise = Encode(message.Promise) };
        fill(request);
        return request;
    }

    private static IEnumerable<FollowRequest> EncodeEntries(Append append)
    {
        var previous = append.Previous;
        var batch = new Up.Append { Previous = previous.ToMessage() };
        var bytes = 0;
        foreach (var entry in append.Entries)
        {
            var isLarge = entry.Encoded.Length > TargetBytes;
            if (batch.Entries.Count > 0 && (isLarge || bytes + entry.Encoded.Length > TargetBytes))
            {
                yield return New(append, to => to.Append = batch);
                (batch, bytes) = (new() { Previous = previous.ToMessage() }, 0);
            }

            if (isLarge)
            {
                foreach (var part in Divide(append.Promise, entry))
                {
                    yield return EncodePart(part);
                }

                batch = new() { Previous = entry.End.ToMessage() };
            }
            else
            {
                batch.Entries.Add(UnsafeByteOperations.UnsafeWrap(entry.Encoded)); // an entry's bytes never change
                bytes += entry.Encoded.Length;
            }

            previous = entry.End;
        }

        if (batch.Entries.Count > 0 || append.Entries.IsEmpty)
        {
            yield return New(append, to => to.Append = batch);
        }
    }

    private static IEnumerable<AppendPart> Divide(Promise promise, Entry entry)
    {
        for (int number = 0, at = 0; at < entry.Encoded.Length; number++, at += TargetBytes)
        {
            var length = Math.Min(TargetBytes, entry.Encoded.Length - at);
            yield return new(
                promise, entry.Predecessor, entry.Header.Epoch, entry.Header.FirstSequence, number, at + length == entry.Encoded.Length, entry.Encoded.Slice(at, length));
        }
    }

    private static FollowRequest EncodePart(AppendPart part) => New(part, to => to.Part = new()
    {
        Previous = part.Previous.ToMessage(),
        EntryEpoch = part.EntryEpoch,
        FirstSequence = part.FirstSequence,
        Number = part.Number,
        IsLast = part.IsLast,
        Data = UnsafeByteOperations.UnsafeWrap(part.Bytes),
    });
}
