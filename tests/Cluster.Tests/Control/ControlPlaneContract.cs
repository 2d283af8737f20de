using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster.Tests;

/// <summary>What every control plane does.</summary>
public abstract class ControlPlaneContract : IAsyncLifetime
{
    private IControlPlane _control = null!;

    /// <summary>Opens the control plane, the same one each time.</summary>
    protected abstract Task<IControlPlane> OpenAsync();

    [Fact]
    public async Task Everything_is_kept_over_a_restart()
    {
        var cluster = _control.ClusterId;
        var database = Database(1, "app") with { Replicated = false, ReplicaRegions = ["weur", "apac"], Profile = "d1", PageSizeBytes = 8192 };
        await _control.CreateAsync(database);
        await _control.CreateAsync(Database(2, "gone"));
        Assert.Equal(1u, await _control.TakeEpochAsync(database.Id, "other", expected: 0, above: 0));
        Assert.True(await _control.DeleteAsync(Database(2, "gone").Id));
        await ReopenAsync();
        Assert.Equal(cluster, _control.ClusterId);
        var found = _control.Find("app")!;
        AssertSame(database with { Epoch = 1, PrimaryNode = "other" }, found);
        Assert.Equal(["weur", "apac"], found.ReplicaRegions);
        Assert.Null(_control.Find("gone"));
    }

    [Fact]
    public async Task What_a_newer_version_put_into_a_record_goes_along_with_every_change()
    {
        var newer = DatabaseRecordText.Encode(Database(1, "app"))[..^1] + ",\"Shape\":{\"Sides\":[3,4]},\"Colour\":\"red\"}";
        await _control.CreateAsync(DatabaseRecordText.Decode(newer));
        await ReopenAsync();
        await _control.TakeEpochAsync(Database(1, "app").Id, "other", expected: 0, above: 0);
        await _control.UpdateAsync(Database(1, "app").Id, old => old with { Name = "renamed" });
        await ReopenAsync();
        var kept = _control.Find("renamed")!;
        Assert.Equal((1u, "other"), (kept.Epoch, kept.PrimaryNode));
        Assert.EndsWith(",\"Shape\":{\"Sides\":[3,4]},\"Colour\":\"red\"}", DatabaseRecordText.Encode(kept), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_change_is_made_from_the_newest_record_told_and_kept()
    {
        var changes = new List<CatalogueChange>();
        await _control.CreateAsync(Database(1, "app"));
        using var watch = _control.Watch(changes.Add);
        await _control.TakeEpochAsync(Database(1, "app").Id, "other", expected: 0, above: 0);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => _control.UpdateAsync(Database(1, "app").Id, old => old with { PageSizeBytes = old.PageSizeBytes + 1, Epoch = 9 }))));
        var found = _control.Find("app")!;
        Assert.Equal((4116, 20, 0, 1u, "other"), (found.PageSizeBytes, found.Revision, found.NameRevision, found.Epoch, found.PrimaryNode));
        Assert.Equal(21, changes.Count);
        AssertSame(found, await _control.UpdateAsync(found.Id, old => old with { }));
        Assert.Equal(21, changes.Count); // nothing was changed
        await ReopenAsync();
        AssertSame(found, _control.Find("app")!);
    }

    [Fact]
    public async Task A_name_goes_from_one_database_to_another_and_never_belongs_to_two()
    {
        await _control.CreateAsync(Database(1, "a"));
        await _control.CreateAsync(Database(2, "b"));
        var taken = await Assert.ThrowsAsync<RequestException>(() => _control.UpdateAsync(Database(1, "a").Id, old => old with { Name = "b" }));
        Assert.Equal(ErrorCodes.DatabaseExists, taken.Error.Code);
        var gone = await Assert.ThrowsAsync<RequestException>(() => _control.UpdateAsync(Database(3, "c").Id, old => old with { Name = "c" }));
        Assert.Equal(ErrorCodes.DatabaseNotFound, gone.Error.Code);
        var renamed = await _control.UpdateAsync(Database(1, "a").Id, old => old with { Name = "c" });
        Assert.Equal((1, 1), (renamed.Revision, renamed.NameRevision));
        Assert.Null(_control.Find("a"));
        AssertSame(renamed, (await _control.FindNewestAsync("c"))!);
        await _control.UpdateAsync(Database(2, "b").Id, old => old with { Name = "a" });
        await ReopenAsync();
        Assert.Equal((Database(2, "a").Id, Database(1, "c").Id), (_control.Find("a")!.Id, _control.Find("c")!.Id));
        Assert.Null(_control.Find("b"));
        Assert.Equal(["a", "c"], _control.List("", "", 10).Select(database => database.Name));
    }

    [Fact]
    public async Task A_name_is_taken_once_and_free_again_after_a_deletion()
    {
        await _control.CreateAsync(Database(1, "app"));
        var refused = await Assert.ThrowsAsync<RequestException>(() => _control.CreateAsync(Database(2, "app")));
        Assert.Equal(ErrorCodes.DatabaseExists, refused.Error.Code);
        await _control.DeleteAsync(Database(1, "app").Id);
        Assert.False(await _control.DeleteAsync(Database(1, "app").Id));
        await _control.CreateAsync(Database(2, "app"));
        Assert.Equal(Database(2, "app").Id, _control.Find("app")!.Id);
        Assert.Equal(Database(2, "app").Id, _control.Find(Database(2, "app").Id.ToString())!.Id);
        Assert.Null(_control.Find("APP"));
    }

    [Fact]
    public async Task An_epoch_is_won_by_one_and_lies_above_the_log()
    {
        var id = Database(1, "app").Id;
        await _control.CreateAsync(Database(1, "app"));
        var winners = 0;
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(async () =>
        {
            try
            {
                await _control.TakeEpochAsync(id, $"node {i}", expected: 0, above: 0);
                Interlocked.Increment(ref winners);
            }
            catch (RequestException lost) when (lost.Error.Code == ErrorCodes.NoPrimary)
            {
            }
        })));
        Assert.Equal(1, winners);
        Assert.Equal(8u, await _control.TakeEpochAsync(id, "node", expected: 1, above: 7));
        var gone = await Assert.ThrowsAsync<RequestException>(() => _control.TakeEpochAsync(Database(2, "x").Id, "node", 0, 0));
        Assert.Equal(ErrorCodes.DatabaseNotFound, gone.Error.Code);
    }

    [Fact]
    public async Task Lists_go_by_name_page_by_page()
    {
        string[] names = ["a", "ab", "abc", "b", "b-1", "b-2", "B"];
        for (var i = 0; i < names.Length; i++)
        {
            await _control.CreateAsync(Database(i, names[i]));
        }

        Assert.Equal(names.Order(StringComparer.Ordinal), Names("", "", 100));
        Assert.Equal(["b", "b-1", "b-2"], Names("b", "", 100));
        Assert.Equal(["b-1"], Names("b", "b", 1));
        Assert.Equal(["b-2"], Names("b", "b-1", 10));
        Assert.Empty(Names("b", "b-2", 10));
        Assert.Empty(Names("b", "c", 10));
        Assert.Equal(["b"], Names("b", "a", 1));
        Assert.Empty(Names("zz", "", 10));
        var paged = new List<string>();
        for (var after = ""; Names("", after, 2) is { Count: > 0 } page; after = page[^1])
        {
            paged.AddRange(page);
        }

        Assert.Equal(names.Order(StringComparer.Ordinal), paged);
    }

    [Fact]
    public async Task A_watch_sees_each_change_until_it_ends()
    {
        var seen = new List<CatalogueChange>();
        var watch = _control.Watch(seen.Add);
        await _control.CreateAsync(Database(1, "app"));
        await _control.TakeEpochAsync(Database(1, "app").Id, "node", 0, 0);
        await _control.DeleteAsync(Database(1, "app").Id);
        watch.Dispose();
        await _control.CreateAsync(Database(2, "other"));
        Assert.Equal([0u, 1u, null], seen.Select(change => change.Database?.Epoch));
    }

    [Fact]
    public async Task A_deleted_id_never_comes_back()
    {
        await _control.CreateAsync(Database(1, "app"));
        await _control.DeleteAsync(Database(1, "app").Id);
        await Assert.ThrowsAnyAsync<Exception>(() => _control.CreateAsync(Database(1, "again")));
        Assert.Null(_control.Find("again"));
        Assert.True(_control.IsDeleted(Database(1, "app").Id));
        await _control.CreateAsync(Database(2, "other"));
        Assert.False(_control.IsDeleted(Database(2, "other").Id));
        Assert.False(_control.IsDeleted(Database(3, "never").Id)); // perhaps newer than a control plane that was brought back
    }

    [Fact]
    public async Task A_node_is_alive_until_its_registration_ends()
    {
        var node = new NodeRecord("n", "weur", new Uri("http://localhost:1"), new Uri("http://localhost:2"));
        var registration = await _control.RegisterAsync(node);
        Assert.Equal([node], _control.Nodes);
        await Assert.ThrowsAsync<InvalidOperationException>(() => _control.RegisterAsync(node));
        await registration.DisposeAsync();
        Assert.Empty(_control.Nodes);
    }

    [Fact]
    public async Task Tokens_are_kept_over_a_restart_until_they_are_removed()
    {
        var database = Database(1, "app").Id;
        TokenRecord[] tokens =
        [
            Token(1) with { Databases = [database], ExpiresAt = DateTimeOffset.UnixEpoch.AddYears(90) },
            Token(2) with { Right = Protocol.V1.Right.Admin },
        ];
        foreach (var token in tokens)
        {
            await _control.Tokens.AddAsync(token);
        }

        var key = _control.NodeKey;
        Assert.Equal(64, key.Length);
        await ReopenAsync();
        Assert.Equal(tokens.Select(token => token.Id), (await _control.Tokens.ListAsync()).Select(token => token.Id));
        var kept = _control.Tokens.Find(tokens[0].Id)!;
        Assert.Equal(tokens[0], kept with { Databases = tokens[0].Databases });
        Assert.Equal([database], kept.Databases);
        Assert.Equal(kept, await _control.Tokens.FindNewestAsync(kept.Id));
        Assert.True(await _control.Tokens.RemoveAsync(kept.Id));
        Assert.False(await _control.Tokens.RemoveAsync(kept.Id));
        Assert.Null(_control.Tokens.Find(kept.Id));
        Assert.Null(await _control.Tokens.FindNewestAsync(kept.Id));
        await ReopenAsync();
        Assert.Equal([tokens[1].Id], (await _control.Tokens.ListAsync()).Select(token => token.Id));
    }

    [Fact]
    public async Task When_a_token_was_last_used_is_noted()
    {
        await _control.Tokens.AddAsync(Token(1));
        Assert.Null(Assert.Single(await _control.Tokens.ListAsync()).LastUsedAt);
        var used = DateTimeOffset.UnixEpoch.AddYears(56);
        await _control.Tokens.NoteUseAsync(new Dictionary<string, DateTimeOffset> { [Token(1).Id] = used, [Token(2).Id] = used }); // the second was revoked meanwhile
        Assert.Equal(used, Assert.Single(await _control.Tokens.ListAsync()).LastUsedAt);
        await ReopenAsync();
        Assert.Equal(used, Assert.Single(await _control.Tokens.ListAsync()).LastUsedAt);
    }

    public async ValueTask InitializeAsync() => _control = await OpenAsync();

    public virtual async ValueTask DisposeAsync()
    {
        if (_control is not null)
        {
            await _control.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    internal static DatabaseRecord Database(int number, string name) => new()
    {
        Id = new DatabaseId(new Guid(number + 1, 0, 0, new byte[8])), Name = name, CreatedAt = DateTimeOffset.UnixEpoch, PrimaryRegion = "weur", PrimaryNode = "node",
    };

    internal static TokenRecord Token(int number) => new()
    {
        Id = $"{number:x16}", Name = $"token {number}", SecretHash = new string('a', 64), Right = Protocol.V1.Right.Read, CreatedAt = DateTimeOffset.UnixEpoch.AddYears(50).AddHours(number),
    };

    // Records compare their lists by reference.
    private static void AssertSame(DatabaseRecord expected, DatabaseRecord actual) => Assert.Equal(StoredDatabase.EncodeText(expected), StoredDatabase.EncodeText(actual));

    private List<string> Names(string prefix, string after, int count) => [.. _control.List(prefix, after, count).Select(database => database.Name)];

    private async Task ReopenAsync()
    {
        await _control.DisposeAsync();
        _control = await OpenAsync();
    }
}
