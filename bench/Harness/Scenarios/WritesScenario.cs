using System.Globalization;
using Google.Protobuf;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Single-row inserts and batches, durable by a quorum when they are answered, beside our echo and beside as many processes that only append and sync.</summary>
internal sealed class WritesScenario : Scenario
{
    private const string Sql = "INSERT INTO t (v) VALUES (?)";
    private static readonly string _value = new('v', 100);

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(
        ServerProcess server, BenchOptions options, Noise noise, CancellationToken cancellationToken)
    {
        await using var grpc = new GrpcEchoClient(server.Ready.Echo);
        var payload = ByteString.CopyFrom(new byte[64]);
        var echo = new Series($"echo 64 B, {options.Callers} callers", options.Callers, _ => grpc.CallAsync(payload));
        var databases = new List<Written>();
        try
        {
            foreach (var followers in options.Followers)
            {
                databases.Add(await Written.CreateAsync(server, options, followers, isOnly: options.Followers.Count == 1, cancellationToken));
            }

            await Series.AlternateAsync(server, options, [.. databases.SelectMany(database => database.Series), echo]);
            foreach (var database in databases)
            {
                await database.CheckAsync(cancellationToken);
            }

            return [.. echo.Report(noise), .. databases.SelectMany(database => database.Report(noise, echo))];
        }
        finally
        {
            foreach (var database in databases)
            {
                await database.DisposeAsync();
            }
        }
    }

    /// <summary>A database with so many followers.</summary>
    private sealed class Written : IAsyncDisposable
    {
        private readonly BenchTable _table;
        private readonly DiskProcess _disks;
        private readonly Series _disk;
        private readonly Series _one;
        private readonly Series _many;
        private readonly Series _batches;
        private readonly string _rows;
        private readonly int _batch;
        private long _answered;

        private Written(ServerProcess server, BenchOptions options, int followers, string suffix, CancellationToken cancellationToken)
        {
            _table = new BenchTable(server, string.Create(CultureInfo.InvariantCulture, $"bench-{followers}"));
            _disks = new DiskProcess(server.Folder, followers);
            var sessions = Enumerable.Range(0, options.Callers).Select(_ => _table.Primary.WithSession()).ToArray();
            _batch = options.Batch;
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
            _one = new Series($"inserts, 1 session{suffix}", 1, WriteAsync);
            _many = new Series($"inserts, {options.Callers} sessions{suffix}", options.Callers, WriteAsync);
            _batches = new Series($"batches of {_batch}, {options.Callers} sessions{suffix}", options.Callers, BatchAsync);
            _rows = $"rows in batches of {_batch}, {options.Callers} sessions{suffix}";
        }

        public IReadOnlyList<Series> Series => [_disk, _one, _many, _batches];

        public static async Task<Written> CreateAsync(ServerProcess server, BenchOptions options, int followers, bool isOnly, CancellationToken cancellationToken)
        {
            var written = new Written(server, options, followers, isOnly ? "" : $", {followers} followers", cancellationToken);
            try
            {
                await written._table.CreateAsync(followers, followers > 1 ? options.Quorum : 0, cancellationToken);
                return written;
            }
            catch
            {
                await written.DisposeAsync();
                throw;
            }
        }

        public Task CheckAsync(CancellationToken cancellationToken) => _table.CheckRowsAsync(_answered, cancellationToken);

        public IEnumerable<BenchResult> Report(Noise noise, Series echo) =>
        [
            .. _disk.ReportAlone(), .. _one.Report(noise, _disk), .. _many.Report(noise, echo), .. _batches.Report(noise), _batches.ReportRows(_rows, _batch),
        ];

        public async ValueTask DisposeAsync()
        {
            _disks.Dispose();
            await _table.DisposeAsync();
        }
    }
}
