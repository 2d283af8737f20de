using System.Data.Common;

namespace ReplicatedSqlite;

/// <summary>Makes the provider's objects for code that knows no provider.</summary>
public sealed class ReplicatedSqliteFactory : DbProviderFactory
{
    /// <summary>The only one.</summary>
    public static readonly ReplicatedSqliteFactory Instance = new();

    private ReplicatedSqliteFactory()
    {
    }

    /// <inheritdoc/>
    public override bool CanCreateBatch => true;

    /// <inheritdoc/>
    public override bool CanCreateDataAdapter => true;

    /// <inheritdoc/>
    public override bool CanCreateCommandBuilder => true;

    /// <inheritdoc/>
    public override DbConnection CreateConnection() => new ReplicatedSqliteConnection();

    /// <inheritdoc/>
    public override DbCommand CreateCommand() => new ReplicatedSqliteCommand();

    /// <inheritdoc/>
    public override DbParameter CreateParameter() => new ReplicatedSqliteParameter();

    /// <inheritdoc/>
    public override DbConnectionStringBuilder CreateConnectionStringBuilder() => new ReplicatedSqliteConnectionStringBuilder();

    /// <inheritdoc/>
    public override DbBatch CreateBatch() => new ReplicatedSqliteBatch();

    /// <inheritdoc/>
    public override DbBatchCommand CreateBatchCommand() => new ReplicatedSqliteBatchCommand();

    /// <inheritdoc/>
    public override DbDataAdapter CreateDataAdapter() => new ReplicatedSqliteDataAdapter();

    /// <inheritdoc/>
    public override DbCommandBuilder CreateCommandBuilder() => new ReplicatedSqliteCommandBuilder();

    /// <inheritdoc/>
    public override DbDataSource CreateDataSource(string connectionString) => ReplicatedSqliteDataSource.Create(connectionString);
}
