using System.Text;

namespace ReplicatedSqlite.ColdStorage.Tests;

/// <summary>What every store must do.</summary>
public abstract class ObjectStoreContract
{
    protected abstract IObjectStore Store { get; }

    /// <summary>Names of one test; a shared store keeps those of others apart.</summary>
    protected virtual string Prefix => "t/";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_stored_is_read_back_whole_and_in_ranges()
    {
        var content = Bytes(100_000);
        Assert.True(await Store.PutAsync(Prefix + "a/b-1.seg", [content.AsMemory(0, 1000), content.AsMemory(1000)], Cancellation));

        Assert.Equal(content, await ReadAsync(Prefix + "a/b-1.seg", 0, content.Length));
        Assert.Equal(content[99_990..], await ReadAsync(Prefix + "a/b-1.seg", 99_990, 10));
        Assert.Equal(content.Length, (await Store.FindAsync(Prefix + "a/b-1.seg", Cancellation))!.Value.SizeBytes);
    }

    [Fact]
    public async Task An_empty_object_is_an_object()
    {
        await Store.PutAsync(Prefix + "empty", [], Cancellation);

        Assert.Equal(0, (await Store.FindAsync(Prefix + "empty", Cancellation))!.Value.SizeBytes);
        Assert.Empty(await ReadAsync(Prefix + "empty", 0, 0));
    }

    [Fact]
    public async Task A_name_that_is_taken_keeps_what_it_has()
    {
        var first = Encoding.ASCII.GetBytes("first");
        Assert.True(await Store.PutAsync(Prefix + "once", [first], Cancellation));
        Assert.False(await Store.PutAsync(Prefix + "once", ["other"u8.ToArray()], Cancellation));
        Assert.Equal(first, await ReadAsync(Prefix + "once", 0, 5));
    }

    [Fact]
    public async Task Replacing_puts_the_new_one_in_the_place_of_the_old()
    {
        await Store.ReplaceAsync(Prefix + "mutable", "old content"u8.ToArray(), Cancellation);
        await Store.ReplaceAsync(Prefix + "mutable", "new"u8.ToArray(), Cancellation);
        Assert.Equal("new"u8.ToArray(), await ReadAsync(Prefix + "mutable", 0, 3));
        Assert.Equal(3, (await Store.FindAsync(Prefix + "mutable", Cancellation))!.Value.SizeBytes);
    }

    [Fact]
    public async Task A_large_object_goes_in_parts_and_comes_back_equal()
    {
        var content = Bytes(11 << 20);
        await Store.PutAsync(Prefix + "large", [content.AsMemory(0, 7 << 20), content.AsMemory(7 << 20)], Cancellation);
        Assert.Equal(content, await ReadAsync(Prefix + "large", 0, content.Length));
        Assert.Equal(content[((5 << 20) - 3)..((5 << 20) + 3)], await ReadAsync(Prefix + "large", (5 << 20) - 3, 6));
    }

    [Fact]
    public async Task A_missing_object_is_an_error_that_names_it()
    {
        Assert.Null(await Store.FindAsync(Prefix + "nothing", Cancellation));
        var error = await Assert.ThrowsAsync<ObjectMissingException>(() => ReadAsync(Prefix + "nothing", 0, 1));
        Assert.Contains(Prefix + "nothing", error.Message, StringComparison.Ordinal);
        Assert.False(error.IsTransient);
    }

    [Fact]
    public async Task Reading_past_the_end_is_an_error_that_names_the_object()
    {
        await Store.PutAsync(Prefix + "short", ["12345"u8.ToArray()], Cancellation);
        Assert.Equal(Prefix + "short", (await Assert.ThrowsAsync<ObjectDamagedException>(() => ReadAsync(Prefix + "short", 3, 3))).Name);
        Assert.Equal(Prefix + "short", (await Assert.ThrowsAsync<ObjectDamagedException>(() => ReadAsync(Prefix + "short", 5, 1))).Name);
    }

    [Fact]
    public async Task Names_are_listed_in_ordinal_order_behind_the_one_that_is_given()
    {
        foreach (var name in (string[])["log/b", "log/a", "log/a-1", "log/a.1", "log/c/deep", "other/a"])
        {
            await Store.PutAsync(Prefix + "list/" + name, [new byte[name.Length]], Cancellation);
        }

        Assert.Equal(["a", "a-1", "a.1", "b", "c/deep"], await ListAsync("list/log/", ""));
        Assert.Equal(["b", "c/deep"], await ListAsync("list/log/", "list/log/a.1"));
        Assert.Empty(await ListAsync("list/none/", ""));
    }

    [Fact]
    public async Task Many_names_are_listed_all()
    {
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 60),
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Cancellation },
            async (i, cancellation) => await Store.PutAsync($"{Prefix}many/{i:d4}", [new byte[] { 1 }], cancellation));
        Assert.Equal(Enumerable.Range(0, 60).Select(i => $"{i:d4}"), await ListAsync("many/", ""));
    }

    [Fact]
    public async Task What_was_deleted_is_gone_and_deleting_it_again_is_no_error()
    {
        await Store.PutAsync(Prefix + "gone", ["1"u8.ToArray()], Cancellation);
        await Store.DeleteAsync(Prefix + "gone", Cancellation);
        await Store.DeleteAsync(Prefix + "gone", Cancellation);
        Assert.Null(await Store.FindAsync(Prefix + "gone", Cancellation));
    }

    [Theory]
    [InlineData("../escape")]
    [InlineData("/rooted")]
    [InlineData("a//b")]
    [InlineData("UPPER")]
    [InlineData("a/.hidden")]
    [InlineData("")]
    public async Task A_name_that_could_leave_the_store_is_refused(string name) =>
        await Assert.ThrowsAsync<ArgumentException>(() => Store.PutAsync(name, [], Cancellation));

    protected static byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }

    private async Task<byte[]> ReadAsync(string name, long offset, int count)
    {
        var bytes = new byte[count];
        await Store.ReadAsync(name, offset, bytes, Cancellation);
        return bytes;
    }

    private async Task<List<string>> ListAsync(string prefix, string after)
    {
        var names = new List<string>();
        await foreach (var item in Store.ListAsync(Prefix + prefix, after.Length > 0 ? Prefix + after : "", Cancellation))
        {
            names.Add(item.Name[(Prefix.Length + prefix.Length)..]);
        }

        return names;
    }
}
