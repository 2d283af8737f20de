using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary.Tests;

public class GateCoreTests
{
    private readonly GateCore<string> _gate = new(At(2));
    private readonly List<string> _told = [];

    [Fact]
    public void What_was_computed_from_a_confirmed_state_passes_at_once() => Assert.Equal(GateAnswer.Pass, _gate.Hold(At(2), "a"));

    [Fact]
    public void The_rest_is_held_until_its_state_is_confirmed_and_passes_in_order()
    {
        Assert.Equal(GateAnswer.Held, _gate.Hold(At(5), "late"));
        Assert.Equal(GateAnswer.Held, _gate.Hold(At(3), "early"));
        Assert.Equal(GateAnswer.Held, _gate.Hold(At(4), "middle"));
        _gate.Confirm(At(4), _told);
        Assert.Equal(["early", "middle"], _told);
        Assert.Equal(1, _gate.Held);
    }

    [Fact]
    public void An_older_confirmation_changes_nothing()
    {
        _gate.Hold(At(3), "a");
        _gate.Confirm(At(1), _told);
        Assert.Empty(_told);
        Assert.Equal(At(2), _gate.Confirmed);
    }

    [Fact]
    public void Lost_leadership_fails_what_is_held_and_what_comes_but_not_what_was_confirmed()
    {
        _gate.Hold(At(3), "a");
        _gate.Close(_told);
        Assert.Equal(["a"], _told);
        Assert.Equal(GateAnswer.Lost, _gate.Hold(At(3), "b"));
        Assert.Equal(GateAnswer.Pass, _gate.Hold(At(2), "c"));
        _gate.Confirm(At(9), _told);
        Assert.Equal(GateAnswer.Lost, _gate.Hold(At(3), "d"));
    }

    private static Position At(int sequence) => new(1, (ulong)sequence, new ChainHash(1, (ulong)sequence));
}
