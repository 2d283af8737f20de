namespace ReplicatedSqlite.Simulation;

/// <summary>An answer at the gate.</summary>
internal sealed class HeldAnswer(Action pass, Action fail)
{
    public void Pass() => pass();

    public void Fail() => fail();
}

/// <summary>A read at a primary: it leaves once its state is confirmed and, where it is asked for, its proof is there.</summary>
internal sealed class PrimaryRead(WaitingRead read, ReadAnswer answer)
{
    private bool _isOver;

    public bool NeedsGate { get; set; }

    public bool NeedsProof { get; set; }

    public void PassGate()
    {
        NeedsGate = false;
        TryAnswer();
    }

    public void PassProof()
    {
        NeedsProof = false;
        TryAnswer();
    }

    public void Fail()
    {
        if (!_isOver)
        {
            _isOver = true;
            read.Refuse();
        }
    }

    public void TryAnswer()
    {
        if (!_isOver && !NeedsGate && !NeedsProof)
        {
            _isOver = true;
            read.Answer(answer.LastWrite, answer.RowWrite, answer.At);
        }
    }
}
