using System.Data.Common;

namespace ReplicatedSqlite;

/// <summary>The commands of a batch.</summary>
public sealed class ReplicatedSqliteBatchCommandCollection : DbBatchCommandCollection
{
    private readonly List<ReplicatedSqliteBatchCommand> _commands = [];

    internal ReplicatedSqliteBatchCommandCollection()
    {
    }

    /// <inheritdoc/>
    public override int Count => _commands.Count;

    /// <inheritdoc/>
    public override bool IsReadOnly => false;

    /// <summary>A command by its place.</summary>
    public new ReplicatedSqliteBatchCommand this[int index] { get => _commands[index]; set => _commands[index] = Check(value); }

    /// <summary>Adds SQL without parameters, or to which they are added afterwards.</summary>
    public ReplicatedSqliteBatchCommand Add(string commandText)
    {
        var command = new ReplicatedSqliteBatchCommand(commandText);
        _commands.Add(command);
        return command;
    }

    /// <inheritdoc/>
    public override void Add(DbBatchCommand item) => _commands.Add(Check(item));

    /// <inheritdoc/>
    public override void Clear() => _commands.Clear();

    /// <inheritdoc/>
    public override bool Contains(DbBatchCommand item) => item is ReplicatedSqliteBatchCommand command && _commands.Contains(command);

    /// <inheritdoc/>
    public override void CopyTo(DbBatchCommand[] array, int arrayIndex)
    {
        ArgumentNullException.ThrowIfNull(array);
        foreach (var command in _commands) array[arrayIndex++] = command;
    }

    /// <inheritdoc/>
    public override IEnumerator<DbBatchCommand> GetEnumerator() => _commands.GetEnumerator();

    /// <inheritdoc/>
    public override int IndexOf(DbBatchCommand item) => item is ReplicatedSqliteBatchCommand command ? _commands.IndexOf(command) : -1;

    /// <inheritdoc/>
    public override void Insert(int index, DbBatchCommand item) => _commands.Insert(index, Check(item));

    /// <inheritdoc/>
    public override bool Remove(DbBatchCommand item) => item is ReplicatedSqliteBatchCommand command && _commands.Remove(command);

    /// <inheritdoc/>
    public override void RemoveAt(int index) => _commands.RemoveAt(index);

    /// <inheritdoc/>
    protected override DbBatchCommand GetBatchCommand(int index) => _commands[index];

    /// <inheritdoc/>
    protected override void SetBatchCommand(int index, DbBatchCommand batchCommand) => _commands[index] = Check(batchCommand);

    private static ReplicatedSqliteBatchCommand Check(DbBatchCommand? command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return command as ReplicatedSqliteBatchCommand
            ?? throw new InvalidCastException($"A {nameof(ReplicatedSqliteBatchCommand)} is wanted, not a {command.GetType()}.");
    }
}
