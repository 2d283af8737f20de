using System.Globalization;

namespace ReplicatedSqlite.Node;

/// <summary>Plays the shop and tells what happens, with the numbers that the answers carry.</summary>
internal sealed class DemoStory(DemoStage stage, string? sqlFile, TextWriter output, TextWriter error, TimeProvider time)
{
    private const int MaxRounds = 12;
    private static readonly TimeSpan _timeForRounds = TimeSpan.FromSeconds(4);

    private readonly string _orderRegion = stage.OrderRegion;
    private readonly string _listRegion = stage.ListRegion;

    /// <returns>Whether all went as promised; if not, the reason is written.</returns>
    public async Task<bool> TellAsync(CancellationToken cancellationToken)
    {
        Cast();
        if (await LoadAsync(cancellationToken) is not { } shop)
        {
            return false;
        }

        await WithoutSessionAsync(shop, cancellationToken);
        var kept = await WithSessionAsync(shop, cancellationToken);
        return await CountAsync(shop, cancellationToken) && kept;
    }

    private void Cast()
    {
        output.WriteLine($"One database, {stage.Nodes.Count} regions, each with a copy of its own (here: all in one process)");
        Say();
        foreach (var node in stage.Nodes)
        {
            var role = node.Region == stage.PrimaryRegion ? "primary: takes all the writes"
                : stage.DelayOf(node.Region) is { Ticks: > 0 } delay ? $"replica; all that it receives is held back by {Ms(delay, 0)}, as if it were far away"
                : "replica";
            Say($"   {node.Region,-8} {node.GrpcAddress.Authority,-16} {role}");
        }
    }

    private async Task<DemoShop?> LoadAsync(CancellationToken cancellationToken)
    {
        await stage.CreateDatabaseAsync(cancellationToken);
        Chapter("1. The data");
        var started = time.GetTimestamp();
        if (await DemoShop.LoadAsync(stage.In(_orderRegion), sqlFile, error, cancellationToken) is not ({ } shop, { } session))
        {
            return null;
        }

        Say($"Loaded through {_orderRegion} in {Ms(time.GetElapsedTime(started), 0)}: {await shop.DescribeAsync(session, cancellationToken)}.");
        Say($"{_orderRegion} handed it on to the primary in {stage.PrimaryRegion}, and from there every copy gets it.");
        foreach (var node in stage.Nodes)
        {
            await shop.ListAsync(stage.In(node.Region).WithSession(session.Bookmark!.Value), cancellationToken); // so that all start level
        }

        return shop;
    }

    private async Task WithoutSessionAsync(DemoShop shop, CancellationToken cancellationToken)
    {
        Chapter("2. Without a session");
        var (order, _) = await OrderAsync(shop, stage.In(_orderRegion), cancellationToken);
        Say($"The next page comes from {_listRegion} and lists the customer's orders. {_listRegion} answers at once with what its copy has:");
        var (isFresh, _) = await ListAsync(shop, stage.In(_listRegion).WithSession(), order, cancellationToken);
        Say(isFresh
            ? "Good luck: the order had arrived already. Nobody promised that."
            : $"Nothing is lost: the order is on its way to {_listRegion}. But the customer wonders, and may order again.");
    }

    private async Task<bool> WithSessionAsync(DemoShop shop, CancellationToken cancellationToken)
    {
        Chapter("3. With a session");
        var (order, bookmark) = await OrderAsync(shop, stage.In(_orderRegion).WithSession(Session.FirstPrimary), cancellationToken);
        Say("The answer carried a bookmark, which names the state that the write made:");
        Say($"   {bookmark}");
        Say($"The shop keeps it for the customer (in a cookie, say). The next page comes from {_listRegion} and sends it along:");
        var session = stage.In(_listRegion).WithSession(bookmark);
        var (first, _) = await ListAsync(shop, session, order, cancellationToken);
        Say("The page once more. The copy is there now, so there is nothing to wait for:");
        var (second, _) = await ListAsync(shop, session, order, cancellationToken);
        Say($"The third way: no session at all. Then {_listRegion} hands the query on to the primary. Never old, always the long way:");
        var (third, _) = await ListAsync(shop, stage.In(_listRegion), order, cancellationToken);
        return first && second && third;
    }

    private async Task<bool> CountAsync(DemoShop shop, CancellationToken cancellationToken)
    {
        var rounds = stage.LongestDelay > TimeSpan.Zero ? (int)Math.Clamp(_timeForRounds / stage.LongestDelay, 3, MaxRounds) : MaxRounds;
        Chapter($"4. {rounds} more orders through {_orderRegion}, each listed in every region as soon as it is answered");
        var tallies = stage.Nodes.ToDictionary(
            node => node.Region,
            node => new DemoTally(node.Region, node.Region == stage.PrimaryRegion ? "primary" : "replica", stage.DelayOf(node.Region)));
        for (var round = 0; round < rounds; round++)
        {
            var (order, answer) = await shop.OrderAsync(stage.In(_orderRegion), cancellationToken);
            var started = time.GetTimestamp();
            await Task.WhenAll(stage.Nodes.Select(async node =>
            {
                var without = shop.ListAsync(stage.In(node.Region).WithSession(), cancellationToken);
                var with = shop.ListAsync(stage.In(node.Region).WithSession(answer.Bookmark), cancellationToken);
                tallies[node.Region].CountWithoutSession(Shows(await without, order));
                tallies[node.Region].CountWithSession(Shows(await with, order), (await with).Served, time.GetElapsedTime(started));
            }));
        }

        foreach (var line in DemoTally.Table([.. stage.Nodes.Select(node => tallies[node.Region])]))
        {
            Say(line);
        }

        Say();
        if (tallies.Values.Any(tally => !tally.EveryListWasFresh))
        {
            await error.WriteLineAsync("demo: a list with a session was old. That must not happen: please report it.");
            return false;
        }

        Say("With a bookmark no list was old, on any copy: one that is behind waits as long as it is behind, and no longer.");
        Say("Without one every copy answers at once, and the order may be missing from the answer.");
        return true;
    }

    private async Task<(long Order, Bookmark Bookmark)> OrderAsync(DemoShop shop, SqlExecutor through, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var (order, answer) = await shop.OrderAsync(through, cancellationToken);
        Say($"A customer orders through {_orderRegion}: order {order}, durable and answered after {Ms(time.GetElapsedTime(started), 1)}.");
        return (order, answer.Bookmark);
    }

    private async Task<(bool IsFresh, SqlResponse Answer)> ListAsync(DemoShop shop, SqlExecutor reader, long order, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var answer = await shop.ListAsync(reader, cancellationToken);
        var took = time.GetElapsedTime(started);
        var isFresh = Shows(answer, order);
        var newest = answer.First.Rows.Count > 0 ? $"newest order {answer.First.Rows[0].GetInt64(0)} ({answer.First.Rows[0].GetString(1)})" : "no order at all";
        Say($"   {answer.Served.Region} waited {Ms(answer.Served.Wait, 1)}, answered after {Ms(took, 1)}: {newest}. {(isFresh ? "It is there." : $"Order {order} is missing: the list is old.")}");
        return (isFresh, answer);
    }

    private static bool Shows(SqlResponse list, long order) => list.First.Rows.Any(row => row.GetInt64(0) == order);

    private void Chapter(string title)
    {
        Say();
        output.WriteLine(title);
    }

    private void Say(string text = "") => output.WriteLine(text.Length == 0 ? "" : "   " + text);

    private static string Ms(TimeSpan duration, int digits) => duration.TotalMilliseconds.ToString("F" + digits, CultureInfo.InvariantCulture) + " ms";
}
