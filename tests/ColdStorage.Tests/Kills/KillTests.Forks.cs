namespace ReplicatedSqlite.ColdStorage.Tests;

/// <content>Forks.</content>
public sealed partial class KillTests
{
    [Theory]
    [InlineData(Death.Before)]
    [InlineData(Death.After)]
    public async Task At_each_step_of_a_fork(Death death)
    {
        var random = new Random(1);
        var log = new ModelLog(random).OpenEpoch(1).Write(30);
        var whole = new MemoryStore();
        await UploadAsync(whole, new ModelSource(log, random) { CheckpointedEntries = 20 }, log.Entries.Count);
        var deaths = 0;
        for (var step = 1; ; step++)
        {
            var clock = new ModelClock { Now = At(log.Entries[^1].Header.CommitTimeMicroseconds) };
            var store = whole.Copy();
            store.Now = () => clock.Now;
            var mortal = new MortalStore(store, step, death);
            var isMade = await DiesAsync(async () =>
            {
                await using var dying = Open(mortal);
                await ColdForks.CreateAsync(dying, log.Database, Id(1), null, Cancellation);
            });

            // Whoever made it goes on with another: an id is used once. It stands, whatever is collected of the first, and of the parent when that is old.
            await using var cold = Open(store);
            await ColdForks.CreateAsync(cold, log.Database, Id(2), log.Entries[14].End.ToBookmark(log.Database), Cancellation);
            clock.Now += TimeSpan.FromDays(30);
            var collector = new ColdCollector(store, clock, new ColdCollectorOptions(_grace) { IsUnknownAsync = (id, _) => new(id == Id(1)) });
            await collector.RunAsync(log.Database, _retention, Cancellation);
            clock.Now += _grace;
            await collector.RunAsync(log.Database, _retention, Cancellation);
            var where = $"step {step}: {(mortal.IsDead ? await mortal.Died : "")}";
            await AssertAsync(where, store, log, log.Entries.Count);
            await AssertAsync(where, store, log, 15, Id(2));

            // Of the first nothing is left, neither its beginning nor the pin by which it holds its parent.
            Assert.DoesNotContain(store.Names, static name => name.Contains($"{Id(1)}", StringComparison.Ordinal) || name.EndsWith($"{Id(1).Value:n}", StringComparison.Ordinal));
            Assert.Single(store.Names, name => name.StartsWith(ColdNames.Pins(log.Database), StringComparison.Ordinal));
            if (isMade)
            {
                break;
            }

            deaths++;
        }

        Assert.True(deaths > 5, $"It died {deaths} times: the test does not try what it should.");
    }

    [Fact]
    public async Task A_fork_that_begins_while_its_parent_is_removed_is_whole_or_refused_at_each_step()
    {
        var random = new Random(4);
        var log = new ModelLog(random).OpenEpoch(1).Write(20);
        var whole = new MemoryStore();
        await UploadAsync(whole, new ModelSource(log, random) { CheckpointedEntries = 12 }, log.Entries.Count);
        var clock = new ModelClock { Now = At(log.Entries[^1].Header.CommitTimeMicroseconds) };
        var (made, refused) = (0, 0);
        for (var step = 1; ; step++)
        {
            // The removal runs as a whole in the middle of the fork; and the other way round.
            foreach (var isForkFirst in new[] { true, false })
            {
                var store = whole.Copy();
                store.Now = () => clock.Now;
                var calls = 0;
                var isDone = false;
                var isMade = false;
                Task other = Task.CompletedTask;
                async Task<bool> ForkAsync()
                {
                    await using var cold = Open(store);
                    try
                    {
                        await ColdForks.CreateAsync(cold, log.Database, Id(1), null, Cancellation);
                        return isMade = true;
                    }
                    catch (Exception e) when (e is BookmarkNotStoredException or ObjectStoreException)
                    {
                        return false;
                    }
                }

                Task<bool> RemoveAsync() => new ColdCollector(store, clock, new ColdCollectorOptions(_grace)).RemoveAsync(log.Database, Cancellation);
                store.Fault = (_, _) =>
                {
                    if (++calls == step && !isDone)
                    {
                        isDone = true;
                        other = isForkFirst ? RemoveAsync() : ForkAsync(); // in memory: it is over when this returns
                    }

                    return StoreFault.None;
                };
                _ = isForkFirst ? await ForkAsync() : await RemoveAsync();
                await other;
                store.Fault = static (_, _) => StoreFault.None;
                if (isMade)
                {
                    made++;
                    await AssertAsync($"step {step}, fork first {isForkFirst}", store, log, log.Entries.Count, Id(1));
                }
                else
                {
                    refused++;
                    Assert.DoesNotContain(store.Names, static name => name == ColdNames.Origin(Id(1)));
                }

                if (!isDone)
                {
                    Assert.True(made > 2 && refused > 5, $"{made} were made, {refused} refused: the test does not try what it should.");
                    return;
                }
            }
        }
    }

    [Fact]
    public async Task A_fork_that_may_have_been_made_is_given_up_only_when_the_catalogue_says_so_long_after()
    {
        var random = new Random(5);
        var log = new ModelLog(random).OpenEpoch(1).Write(20);
        var store = new MemoryStore();
        var clock = new ModelClock { Now = At(log.Entries[^1].Header.CommitTimeMicroseconds) };
        store.Now = () => clock.Now;
        await UploadAsync(store, new ModelSource(log, random) { CheckpointedEntries = 12 }, log.Entries.Count);
        await using var cold = Open(store);
        await ColdForks.CreateAsync(cold, log.Database, Id(1), null, Cancellation);
        await ColdForks.CreateAsync(cold, log.Database, Id(2), null, Cancellation);
        await new ColdRecord(Id(2).Value, "lost", "{}").WriteAsync(store, Cancellation);
        var isUnknown = true;
        var collector = new ColdCollector(store, clock, new ColdCollectorOptions(_grace) { ForkGrace = TimeSpan.FromDays(7), IsUnknownAsync = (_, _) => new(isUnknown) });
        clock.Now += TimeSpan.FromDays(6.9);
        await collector.RunAsync(log.Database, TimeSpan.FromDays(30), Cancellation);
        Assert.Contains(ColdNames.Origin(Id(1)), store.Names); // it may be on its way
        (clock.Now, isUnknown) = (clock.Now + TimeSpan.FromDays(1), false);
        await collector.RunAsync(log.Database, TimeSpan.FromDays(30), Cancellation);
        Assert.Contains(ColdNames.Origin(Id(1)), store.Names); // known, or nobody can say
        isUnknown = true;
        await collector.RunAsync(log.Database, TimeSpan.FromDays(30), Cancellation);
        Assert.DoesNotContain(ColdNames.Origin(Id(1)), store.Names);
        Assert.Contains(ColdNames.Origin(Id(2)), store.Names); // it has a record, and can be recovered
        await AssertAsync("lost", store, log, log.Entries.Count, Id(2));
    }
}
