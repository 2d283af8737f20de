using System.Diagnostics;

namespace ReplicatedSqlite.ColdStorage.Tests;

public sealed class S3StoreTests : ObjectStoreContract, IAsyncDisposable
{
    private static int _tests;

    private readonly S3Fixture _s3;

    public S3StoreTests(S3Fixture s3)
    {
        Assert.SkipWhen(s3.Reason is not null, s3.Reason ?? "");
        _s3 = s3;
        Store = new S3Store(s3.Options with { Prefix = "contract/" });
        Prefix = $"t{Interlocked.Increment(ref _tests)}/";
    }

    protected override IObjectStore Store { get; }

    protected override string Prefix { get; }

    public ValueTask DisposeAsync() => Store.DisposeAsync();

    [Fact]
    public async Task Wrong_keys_are_an_error_that_is_not_repeated()
    {
        await using var store = new S3Store(_s3.Options with { SecretKey = "wrong" });
        var error = await Assert.ThrowsAsync<ObjectStoreException>(() => store.PutAsync(Prefix + "a", ["1"u8.ToArray()], TestContext.Current.CancellationToken));
        Assert.False(error.IsTransient);
        Assert.Contains(Prefix + "a", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_bucket_is_not_taken_for_a_missing_object()
    {
        await using var store = new S3Store(_s3.Options with { Bucket = "no-such-bucket" });
        var error = await Assert.ThrowsAsync<ObjectStoreException>(() => store.ReadAsync(Prefix + "a", 0, new byte[1], TestContext.Current.CancellationToken));
        Assert.IsNotType<ObjectMissingException>(error);
    }

    [Fact]
    public async Task A_listing_goes_on_over_pages()
    {
        var cancellation = TestContext.Current.CancellationToken;
        foreach (var i in Enumerable.Range(0, 7))
        {
            await Store.PutAsync($"{Prefix}p/{i}", [new byte[] { 1 }], cancellation);
        }

        await using var patient = new PatientStore(new S3Store(_s3.Options with { Prefix = "contract/" }), new PatientStoreOptions { ListedAtOnce = 3 }, TimeProvider.System, new Random(1));
        Assert.Equal(7, await patient.ListAsync(Prefix + "p/", cancellationToken: cancellation).CountAsync(cancellation));
    }

    [Fact]
    public async Task A_store_whose_server_is_killed_is_outlived()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var patient = new PatientStore(
            new S3Store(_s3.Options with { Prefix = "contract/" }), new PatientStoreOptions { Attempts = 30, LongestPause = TimeSpan.FromSeconds(1) }, TimeProvider.System, new Random(2));
        await patient.PutAsync(Prefix + "before", ["1"u8.ToArray()], cancellation);
        using (var server = Process.GetProcessById(_s3.PidOf("object")))
        {
            server.Kill();
            await server.WaitForExitAsync(cancellation);
        }

        var put = patient.PutAsync(Prefix + "during", ["22"u8.ToArray()], cancellation);
        var error = await Assert.ThrowsAsync<ObjectStoreException>(() => Store.ReadAsync(Prefix + "before", 0, new byte[1], cancellation));
        Assert.True(error.IsTransient);
        await _s3.RestartAsync();
        await put;
        Assert.Equal(2, (await patient.FindAsync(Prefix + "during", cancellation))!.Value.SizeBytes);
    }
}
