using System.Data.Common;

namespace ReplicatedSqlite;

/// <summary>Fills a <see cref="System.Data.DataSet"/> or <see cref="System.Data.DataTable"/> and writes back what was changed in it, a command for each row.</summary>
/// <remarks>Each row is a transaction of its own, unless the commands are in one. For one caller at a time.</remarks>
public sealed class ReplicatedSqliteDataAdapter : DbDataAdapter
{
    /// <summary>An adapter without commands.</summary>
    public ReplicatedSqliteDataAdapter()
    {
    }

    /// <summary>An adapter that reads by a command.</summary>
    public ReplicatedSqliteDataAdapter(ReplicatedSqliteCommand selectCommand) => SelectCommand = selectCommand;

    /// <summary>An adapter that reads by SQL.</summary>
    public ReplicatedSqliteDataAdapter(string selectCommandText, ReplicatedSqliteConnection connection)
        : this(new ReplicatedSqliteCommand(selectCommandText, connection))
    {
    }

    /// <summary>Before a row is written.</summary>
    public event EventHandler<RowUpdatingEventArgs>? RowUpdating;

    /// <summary>After a row was written.</summary>
    public event EventHandler<RowUpdatedEventArgs>? RowUpdated;

    /// <summary>Reads the rows.</summary>
    public new ReplicatedSqliteCommand? SelectCommand { get => (ReplicatedSqliteCommand?)base.SelectCommand; set => base.SelectCommand = value; }

    /// <summary>Writes a new row.</summary>
    public new ReplicatedSqliteCommand? InsertCommand { get => (ReplicatedSqliteCommand?)base.InsertCommand; set => base.InsertCommand = value; }

    /// <summary>Writes a row that was changed.</summary>
    public new ReplicatedSqliteCommand? UpdateCommand { get => (ReplicatedSqliteCommand?)base.UpdateCommand; set => base.UpdateCommand = value; }

    /// <summary>Deletes a row.</summary>
    public new ReplicatedSqliteCommand? DeleteCommand { get => (ReplicatedSqliteCommand?)base.DeleteCommand; set => base.DeleteCommand = value; }

    /// <inheritdoc/>
    protected override void OnRowUpdating(RowUpdatingEventArgs value) => RowUpdating?.Invoke(this, value);

    /// <inheritdoc/>
    protected override void OnRowUpdated(RowUpdatedEventArgs value) => RowUpdated?.Invoke(this, value);
}
