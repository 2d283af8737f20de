using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary.Tests;

public class ShippingCoreTests
{
    private readonly List<ShippingAction> _actions = [];
    private readonly ShippingCore _core = new(At(5), At(4), windowBytes: 100);

    [Fact]
    public void Who_has_everything_gets_the_mark_at_once_and_entries_as_they_come()
    {
        var id = Subscribe(5);
        Expect(new ShippingAction(ShippingActionKind.SendMark, id, At(4)));
        _core.Append(At(6), 10, _actions);
        Expect(new ShippingAction(ShippingActionKind.SendEntry, id, At(6)));
        _core.Confirm(At(6), _actions);
        Expect(new ShippingAction(ShippingActionKind.SendMark, id, At(6)));
    }

    [Fact]
    public void Who_is_behind_reads_the_log_first_and_marks_name_only_what_was_sent()
    {
        var id = Subscribe(1);
        Expect(new ShippingAction(ShippingActionKind.ReadLog, id, At(1)));
        _core.Append(At(6), 10, _actions);
        _core.Confirm(At(6), _actions);
        Expect(new ShippingAction(ShippingActionKind.SendMark, id, At(1)));
        _core.LogRead(id, At(3), 30, _actions);
        Expect(new(ShippingActionKind.SendMark, id, At(3)), new(ShippingActionKind.ReadLog, id, At(3)));
        _core.LogRead(id, At(6), 10, _actions);
        Expect(new ShippingAction(ShippingActionKind.SendMark, id, At(6)));
    }

    [Fact]
    public void Who_falls_out_of_the_window_is_pushed_nothing_until_it_reports()
    {
        var id = Subscribe(5);
        _core.Append(At(6), 90, _actions);
        _actions.Clear();
        _core.Append(At(7), 20, _actions);
        _core.Append(At(8), 1, _actions);
        Expect();
        _core.Report(id, 45, _actions);
        Expect(new ShippingAction(ShippingActionKind.ReadLog, id, At(6)));
    }

    [Fact]
    public void A_large_entry_goes_alone()
    {
        var id = Subscribe(5);
        _actions.Clear();
        _core.Append(At(6), 1000, _actions);
        Expect(new ShippingAction(ShippingActionKind.SendEntry, id, At(6)));
        _core.Append(At(7), 1, _actions);
        Expect();
    }

    [Fact]
    public void A_report_that_overtakes_the_end_of_a_read_is_remembered()
    {
        var id = Subscribe(1);
        _actions.Clear();
        _core.Report(id, 90, _actions);
        _core.LogRead(id, At(4), 90, _actions);
        Expect(new(ShippingActionKind.SendMark, id, At(4)), new(ShippingActionKind.ReadLog, id, At(4)));
    }

    [Fact]
    public void A_report_of_more_than_was_sent_opens_no_larger_window()
    {
        var id = Subscribe(5);
        _core.Report(id, 1_000_000, _actions);
        _actions.Clear();
        _core.Append(At(6), 90, _actions);
        _core.Append(At(7), 90, _actions);
        Expect(new ShippingAction(ShippingActionKind.SendEntry, id, At(6)));
    }

    [Fact]
    public void Who_is_gone_is_sent_nothing()
    {
        var id = Subscribe(5);
        _core.Remove(id);
        _actions.Clear();
        _core.Append(At(6), 1, _actions);
        _core.Confirm(At(6), _actions);
        _core.LogRead(id, At(6), 1, _actions);
        _core.Report(id, 1, _actions);
        Expect();
        Assert.Equal(0, _core.Count);
    }

    private int Subscribe(int from) => _core.Add(At(from), _actions);

    private void Expect(params ShippingAction[] actions)
    {
        Assert.Equal(actions, _actions);
        _actions.Clear();
    }

    private static Position At(int sequence) => new(1, (ulong)sequence, new ChainHash(1, (ulong)sequence));
}
