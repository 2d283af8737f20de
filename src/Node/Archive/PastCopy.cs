using System.Runtime.CompilerServices;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Node;

/// <summary>A database as it was: a temporary file that nobody writes.</summary>
internal sealed class PastCopy : IDatabaseCopy
{
    private readonly NodeContext _node;
    private readonly string _path;
    private readonly string _bookmark;
    private readonly Position _position;
    private readonly DatabaseReaders _readers;
    private readonly ReadRunner<string> _runner;
    private readonly TransactionOptions _transactions;
    private readonly CancellationTokenSource _ending = new();

    public PastCopy(NodeContext node, DatabaseRecord database, string path, Position position, ReaderOptions options, TransactionOptions transactions)
    {
        (_node, _path, _position, _transactions) = (node, path, position, transactions);
        _bookmark = position.ToBookmark(database.Id).ToString();
        SizeBytes = new FileInfo(path).Length;
        _readers = DatabaseReaders.Open(path, options.ForProfile(() => database.Profile));
        _runner = new ReadRunner<string>(_readers, node.Readers, new KnownTexts(), new Snapshots(_bookmark), node.Time);
    }

    public long SizeBytes { get; }

    public bool HasFailed => false;

    public CopyStatus Status => new(IsPrimary: false, _position, ConfirmLagMs: 0, SizeBytes);

    public async Task<ExecuteResponse> ExecuteAsync(ExecuteRequest request, ReadConstraint constraint, CancellationToken cancellationToken)
    {
        var outcome = await _runner.ExecuteAsync(SqlRequests.From(request, cancellationToken, progress: constraint.Query));
        Check(outcome.Kind, outcome.Error);
        var response = new ExecuteResponse { Bookmark = _bookmark, Served = Served(outcome.QueueMs) };
        response.Results.AddRange(outcome.Results);
        return response;
    }

    public async IAsyncEnumerable<EncodedResponse> StreamAsync(StreamRequest request, ReadConstraint constraint, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var read = await _runner.OpenAsync(SqlRequests.From(request, cancellationToken, progress: constraint.Query));
        Check(read.Kind, read.Error);
        await foreach (var part in StreamedParts.ReadAsync(read, _bookmark))
        {
            yield return part;
        }

        yield return new EncodedResponse { Done = new Done { Bookmark = _bookmark, Served = Served(read.QueueMs) } };
    }

    public async Task TransactAsync(TransactRequest.Types.Begin begin, TransactCall call, ReadConstraint constraint, CancellationToken cancellationToken)
    {
        if (!begin.ReadOnly)
        {
            throw Writes();
        }

        await using var lease = new TransactionLease(begin, _transactions, _node.Time, _ending.Token, cancellationToken);
        await TransactionLoop.RunAsync(
            call,
            lease,
            async lease =>
            {
                var reads = await _runner.HoldAsync(lease.Token);
                lease.Start(reads.InTheWay);
                return new SnapshotTransaction<string>(reads, _bookmark, Served(reads.QueueMs));
            },
            cancellationToken);
    }

    public async Task<DescribeResponse> DescribeAsync(DescribeRequest request, ReadConstraint constraint, CancellationToken cancellationToken)
    {
        var (description, error, _) = await _runner.DescribeAsync(request.Sql, cancellationToken);
        Check(ReadOutcomeKind.Rows, error);
        return description!;
    }

    public Task<GetOutcomeResponse> GetOutcomeAsync(GetOutcomeRequest request, Caller caller, CancellationToken cancellationToken) => throw Writes();

    public void BeginStop() => _ending.Cancel();

    public void Abort() => _readers.Abort();

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _readers.DisposeAsync();
        await _node.Readers.RunAsync(() => LocalFile.Remove(_path));
        _ending.Dispose();
    }

    private void Check(ReadOutcomeKind kind, RequestException? error)
    {
        if (kind == ReadOutcomeKind.Writes)
        {
            throw Writes();
        }

        if (error is not null)
        {
            error.Error.Bookmark = _bookmark;
            throw error;
        }
    }

    private Served Served(double queueMs) => new() { By = _node.Self.Id, Region = _node.Self.Region, QueueMs = queueMs, TotalAttempts = 1 };

    private static RequestException Writes() => new(ErrorCodes.InvalidRequest, "as_of reads a state that is over, and this would write. Fork the database to change what it was. Nothing was done.");

    private sealed class Snapshots(string bookmark) : ISnapshotSource<string>
    {
        public string Open(PreparedRead read)
        {
            read.BeginSnapshot();
            return bookmark;
        }

        public bool TryOpen(PreparedRead read, out string mark)
        {
            mark = Open(read);
            return true;
        }

        public (HeldSnapshot Snapshot, string Mark) Hold(QueryConnection connection) => (connection.HoldSnapshot(), bookmark);

        public string Now() => bookmark;
    }
}
