using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.ColdStorage.Tests;

public sealed class FolderStoreTests : ObjectStoreContract, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public FolderStoreTests() => Store = new FolderStore(Path.Combine(_folder.Path, "cold", "deep"), TimeProvider.System);

    protected override IObjectStore Store { get; }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_a_crash_left_of_a_write_is_neither_listed_nor_read_and_goes_after_an_hour()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await Store.PutAsync("t/whole", ["1"u8.ToArray()], cancellation);
        var folder = Path.Combine(_folder.Path, "cold", "deep", "t");
        var half = Path.Combine(folder, ".123-1-half");
        await File.WriteAllTextAsync(half, "ha", cancellation);

        Assert.Equal(["t/whole"], await Store.ListAsync("t/", cancellationToken: cancellation).Select(item => item.Name).ToListAsync(cancellation));
        Assert.True(File.Exists(half));

        File.SetLastWriteTimeUtc(half, TimeProvider.System.GetUtcNow().UtcDateTime - TimeSpan.FromHours(2));
        await Store.ListAsync("t/", cancellationToken: cancellation).ToListAsync(cancellation);
        Assert.False(File.Exists(half));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_an_error_that_names_object_and_folder_and_leaves_nothing()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var store = new FolderStore(Path.Combine(_folder.Path, "blocked"), TimeProvider.System);
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "blocked", "t"), "a file where a folder should be", cancellation);

        var error = await Assert.ThrowsAsync<ObjectStoreException>(() => store.PutAsync("t/a", ["1"u8.ToArray()], cancellation));
        Assert.Contains("'t/a'", error.Message, StringComparison.Ordinal);
        Assert.Contains("blocked", error.Message, StringComparison.Ordinal);
        Assert.True(error.IsTransient);
    }
}
