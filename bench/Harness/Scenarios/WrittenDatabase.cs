using System.Globalization;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>A database with so many followers, and the loads that write to it.</summary>
internal sealed class WrittenDatabase : IAsyncDisposable
{
    private const string Sql = "INSERT INTO t (v) VALUES (?)";

    private readonly BenchTable _table;
    private readonly DiskProcess _disks;
    private readonly Series _disk;
    private readonly string _value;
    private readonly int _batch;
    private long _answered; // by Interlocked

    private WrittenDatabase(ServerProcess server, BenchOptions options, int followers, string suffix, CancellationToken cancellationToken)
    {
        _table = new BenchTable(server, string.Create(CultureInfo.InvariantCulture, $"bench-{followers}"));
        _disks = new DiskProcess(server.Folder, followers);
        _value = new string('v', options.ValueBytes);
        _batch = options.Batch;
        var sessions = Enumerable.Range(0, options.Concurrency.Max()).Select(_ => _table.Primary.WithSession()).ToArray();
        var batch = Enumerable.Repeat(new SqlStatement(Sql, [_value]), _batch).ToList();
        async Task WriteAsync(int caller)
        {
            await sessions[caller].ExecuteAsync(Sql, [_value], cancellationToken: cancellationToken);
            Interlocked.Increment(ref _answered);
        }

        async Task BatchAsync(int caller)
        {
            await sessions[caller].BatchAsync(batch, cancellationToken: cancellationToken);
            Interlocked.Add(ref _answered, _batch);
        }

        _disk = new Series(_disks.Name, (_, duration) => _disks.RunAsync(duration));
        Singles = [.. options.Concurrency.Select(callers => (
            callers, Harness.Series.Create(string.Create(CultureInfo.InvariantCulture, $"inserts, {callers} {(callers == 1 ? "session" : "sessions")}{suffix}"), options, callers, WriteAsync)))];
        Batches = new Series($"batches of {_batch}, {options.Callers} sessions{suffix}", options.Callers, BatchAsync);
        RowsName = $"rows in batches of {_batch}, {options.Callers} sessions{suffix}";
    }

    /// <summary>Single rows, by how many sessions.</summary>
    public IReadOnlyList<(int Callers, Series Series)> Singles { get; }

    /// <summary>Several rows a call.</summary>
    public Series Batches { get; }

    /// <summary>What the rate of rows is called.</summary>
    public string RowsName { get; }

    public IReadOnlyList<Series> Series => [_disk, .. Singles.Select(static single => single.Series), Batches];

    /// <summary>Creates it in the cluster.</summary>
    public static async Task<WrittenDatabase> CreateAsync(ServerProcess server, BenchOptions options, int followers, bool isOnly, CancellationToken cancellationToken)
    {
        var written = new WrittenDatabase(server, options, followers, isOnly ? "" : string.Create(CultureInfo.InvariantCulture, $", {followers} followers"), cancellationToken);
        try
        {
            await written._table.CreateAsync(followers, followers > 1 ? options.Quorum : 0, cancellationToken: cancellationToken);
            return written;
        }
        catch
        {
            await written.DisposeAsync();
            throw;
        }
    }

    /// <exception cref="BenchException">A copy lacks rows, or has more.</exception>
    public Task CheckAsync(CancellationToken cancellationToken) => _table.CheckRowsAsync(_answered, cancellationToken);

    /// <summary>One session beside the disks, many beside the echo.</summary>
    public IEnumerable<BenchResult> Report(Remarks remarks, Series echo) =>
    [
        .. _disk.ReportAlone(),
        .. Singles.SelectMany(single => single.Series.Report(remarks, single.Callers == 1 ? _disk : echo)),
        .. Batches.Report(remarks),
        Batches.ReportRows(RowsName, _batch),
    ];

    public async ValueTask DisposeAsync()
    {
        _disks.Dispose();
        await _table.DisposeAsync();
    }
}
