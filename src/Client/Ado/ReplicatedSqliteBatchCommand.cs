using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;

namespace ReplicatedSqlite;

/// <summary>One command of a batch.</summary>
public sealed class ReplicatedSqliteBatchCommand : DbBatchCommand
{
    private ReplicatedSqliteParameterCollection? _parameters;
    private ChangeCount _changes = ChangeCount.None;
    private string _commandText = "";
    private bool _mayWrite;

    /// <summary>A command without text.</summary>
    public ReplicatedSqliteBatchCommand()
    {
    }

    /// <summary>A command.</summary>
    public ReplicatedSqliteBatchCommand(string? commandText) => CommandText = commandText;

    /// <summary>The SQL.</summary>
    [AllowNull]
    public override string CommandText { get => _commandText; set => _commandText = value ?? ""; }

    /// <summary>Only <see cref="CommandType.Text"/>.</summary>
    public override CommandType CommandType
    {
        get => CommandType.Text;
        set
        {
            if (value != CommandType.Text) throw new ArgumentException($"SQLite has no {value} commands; CommandType.Text is the only one.", nameof(value));
        }
    }

    /// <summary>Rows that the last execution changed; -1 if it only read, or has not come so far.</summary>
    public override int RecordsAffected => _changes.Total;

    /// <summary>The row id of the last row that the last execution inserted; 0 if it inserted none.</summary>
    public long LastInsertRowId => _changes.LastRowId;

    /// <summary>The parameters.</summary>
    public new ReplicatedSqliteParameterCollection Parameters => _parameters ??= new ReplicatedSqliteParameterCollection();

    /// <inheritdoc/>
    public override bool CanCreateParameter => true;

    internal bool HasParameters => _parameters is { Count: > 0 };

    /// <inheritdoc/>
    protected override DbParameterCollection DbParameterCollection => Parameters;

    /// <inheritdoc/>
    public override ReplicatedSqliteParameter CreateParameter() => new();

    internal void Begin()
    {
        _changes = ChangeCount.None;
        _mayWrite = !SqlShape.Of(_commandText).IsSurelyRead;
    }

    internal void Add(StatementMeta meta, int columns) => _changes.Add(meta.Changes, meta.LastRowId, columns, _mayWrite);
}
