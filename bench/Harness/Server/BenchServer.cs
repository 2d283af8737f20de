using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Node;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The process that is measured: a local cluster and two echo servers. It answers questions on its standard input, one line each.</summary>
internal static class BenchServer
{
    public static async Task<int> RunAsync(string dataFolder, string regions)
    {
        await using var cluster = await LocalCluster.StartAsync(
            new LocalClusterOptions { DataFolder = dataFolder, Regions = regions.Split(',') }, TimeProvider.System, new Random(), NullLoggerFactory.Instance);
        await using var echo = await StartEchoAsync();
        using var lags = new LagListener();
        Console.WriteLine(string.Join(' ', cluster.Nodes.Select(node => $"{node.Region}={node.GrpcAddress}").Append($"echo={AddressOf(echo)}")));
        while (await Console.In.ReadLineAsync() is { } question && question != "stop")
        {
            Console.WriteLine(question switch
            {
                "cpu" => Process.GetCurrentProcess().TotalProcessorTime.TotalMicroseconds.ToString("F0", CultureInfo.InvariantCulture),
                "lag" => lags.Take(),
                _ => $"unknown question '{question}'",
            });
        }

        return 0;
    }

    private static async Task<WebApplication> StartEchoAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureForGrpc();
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.UseGrpc());
        });
        var web = builder.Build();
        web.MapPost(EchoMethod.BarePath, BareEcho.HandleAsync);
        web.MapGrpc().MapUnary(EchoMethod.Echo, (request, _) => ValueTask.FromResult(request));
        await web.StartAsync();
        return web;
    }

    private static string AddressOf(WebApplication web) =>
        web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>Collects what every replica records when a mark becomes visible.</summary>
    private sealed class LagListener : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly Dictionary<string, Samples> _byRegion = [];

        public LagListener()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "replicatedsqlite.confirm_lag")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<double>((_, lag, tags, _) => Of((string)tags[0].Value!).Add(lag));
            _listener.Start();
        }

        /// <summary>The samples since the last question: <c>region=lag,lag,… region=…</c>.</summary>
        public string Take()
        {
            lock (_byRegion)
            {
                var line = string.Join(' ', _byRegion.Select(pair =>
                    $"{pair.Key}={string.Join(',', pair.Value.ToArray().Select(lag => lag.ToString("F4", CultureInfo.InvariantCulture)))}"));
                _byRegion.Clear();
                return line;
            }
        }

        public void Dispose() => _listener.Dispose();

        private Samples Of(string region)
        {
            lock (_byRegion)
            {
                if (!_byRegion.TryGetValue(region, out var samples))
                {
                    _byRegion.Add(region, samples = new Samples());
                }

                return samples;
            }
        }
    }
}
