using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Follower;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Replica;

namespace ReplicatedSqlite.Simulation;

/// <summary>Mistakes of the shells around the cores: disk, gate, client, replica.</summary>
internal static class ShellFaults
{
    internal sealed class AcksBeforeSync : Plant
    {
        public override bool TellsBeforeSync(JournalRecord record) => true;
    }

    internal sealed class PromiseBeforeItsNote : Plant
    {
        public override bool TellsBeforeSync(JournalRecord record) => record.Kind == JournalRecordKind.Note;
    }

    internal sealed class NotesAreLost : Plant
    {
        public override bool Loses(JournalRecord record) => record.Kind == JournalRecordKind.Note;
    }

    internal sealed class AcksWhatItReadBack : Plant
    {
        public override bool SyncsWhatItReadBack => false;
    }

    internal sealed class ForgetsLease : Plant
    {
        public override FollowerCore MakeFollower(Guid journal, FollowerState recovered, ILogView log, FollowerTimes times, long startedAt) =>
            base.MakeFollower(journal, recovered, log, times, startedAt - times.StartWait);
    }

    internal sealed class ErrorsPass : Plant
    {
        public override bool ErrorsPassTheGate => true;
    }

    internal sealed class FoundKeysPass : Plant
    {
        public override bool FoundKeysPassTheGate => true;
    }

    internal sealed class ReadsPass : Plant
    {
        public override bool ReadsPassTheGate => true;
    }

    internal sealed class KeysAreIgnored : Plant
    {
        public override bool LooksForKeys => false;
    }

    internal sealed class ImagesAreKept : Plant
    {
        public override bool KeepsImageCache => true;
    }

    internal sealed class BookmarksAreForgotten : Plant
    {
        public override bool MergesBookmarks => false;
    }

    /// <summary>A timer looks at the lease now and then, and reads rely on what it saw.</summary>
    internal sealed class LeaseIsLookedAtBefore : Plant
    {
        private const long Every = 50_000;
        private readonly Dictionary<LeaderHost, bool> _seen = [];

        public override void AskProof(LeaderHost leader, long token)
        {
            if (_seen.TryAdd(leader, false))
            {
                Look(leader);
            }

            if (_seen[leader])
            {
                leader.Proved(token, isValid: true);
            }
            else
            {
                leader.AskProof(token);
            }
        }

        public override bool SeesProof(LeaderHost leader, long token, bool isValid)
        {
            if (token >= 0)
            {
                return true;
            }

            _seen[leader] = isValid;
            return false;
        }

        private void Look(LeaderHost leader)
        {
            if (!leader.IsClosed)
            {
                leader.AskProof(-1);
                leader.Node.Process.After(Every, () => Look(leader));
            }
        }
    }

    internal sealed class MarkCoversEverythingBelow : Plant
    {
        public override Position MarkFor(ApplyCore core, HiddenEntries entries, uint said, Position mark) =>
            said >= core.Epoch && entries.FloorOf(mark) is { } floor && floor > core.Visible ? floor : mark;
    }

    internal sealed class AbandonedByUnconfirmedEpoch : Plant
    {
        public override bool CallsAbandoned(EpochTable received, Bookmark bookmark) => received.IsAbandoned(bookmark, received.CurrentEpoch);
    }

    internal sealed class MixturesAreShown : Plant
    {
        public override bool ShowsMixtures => true;
    }

    internal sealed class HiddenEntriesAreShown : Plant
    {
        public override bool ShowsHiddenEntries => true;
    }

    internal sealed class PagesOfDiscardedTailStay : Plant
    {
        public override bool KeepsPagesOfDiscardedTail => true;
    }

    /// <summary>A follower that has some parts of an entry takes them for the whole when it is asked for its promise.</summary>
    internal sealed class UnfinishedPartsAreAdopted : Plant
    {
        private readonly Dictionary<FollowerHost, AppendPart> _unfinished = [];

        public override IEnumerable<LeaderMessage> ToFollower(FollowerHost follower, LeaderLink link, LeaderMessage message)
        {
            if (message is AppendPart part)
            {
                if (part.IsLast)
                {
                    _unfinished.Remove(follower);
                }
                else
                {
                    _unfinished[follower] = part;
                }
            }
            else if (message is Append { Entries.IsEmpty: false })
            {
                _unfinished.Remove(follower);
            }
            else if (message is Seal && _unfinished.Remove(follower, out var some) && some.Previous == follower.Core.Appended && some.Promise == follower.Core.Promised)
            {
                yield return new Append(some.Promise, some.Previous, [Half(some)]);
            }

            yield return message;
        }

        // An entry of the same sequences without its pages: what was there of it.
        private static Entry Half(AppendPart part) => new EntryBuilder(
            new EntryHeader
            {
                Database = Database, Epoch = part.EntryEpoch, FirstSequence = part.FirstSequence, LastSequence = part.FirstSequence, Predecessor = part.Previous,
                PageSizeBytes = PageImage.PageSize, DatabaseSizePages = 20, CommitTimeMicroseconds = 1,
            },
            pageCount: 0).Build();

        private static DatabaseId Database { get; } = new(new Guid(1, 2, 3, new byte[8]));
    }
}
