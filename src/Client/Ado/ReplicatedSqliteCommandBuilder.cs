using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace ReplicatedSqlite;

/// <summary>Makes an adapter's INSERT, UPDATE and DELETE out of its SELECT from one table with a primary key.</summary>
public sealed class ReplicatedSqliteCommandBuilder : DbCommandBuilder
{
    /// <summary>A builder without an adapter.</summary>
    public ReplicatedSqliteCommandBuilder()
    {
        QuotePrefix = "\"";
        QuoteSuffix = "\"";
    }

    /// <summary>A builder for an adapter, which gets its commands as it needs them.</summary>
    public ReplicatedSqliteCommandBuilder(ReplicatedSqliteDataAdapter? adapter)
        : this() => DataAdapter = adapter;

    /// <summary>The adapter.</summary>
    public new ReplicatedSqliteDataAdapter? DataAdapter { get => (ReplicatedSqliteDataAdapter?)base.DataAdapter; set => base.DataAdapter = value; }

    /// <inheritdoc/>
    public override string QuoteIdentifier(string unquotedIdentifier)
    {
        ArgumentNullException.ThrowIfNull(unquotedIdentifier);
        return $"\"{unquotedIdentifier.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    /// <inheritdoc/>
    public override string UnquoteIdentifier(string quotedIdentifier)
    {
        ArgumentNullException.ThrowIfNull(quotedIdentifier);
        return quotedIdentifier is ['"', .. var inner, '"'] ? inner.Replace("\"\"", "\"", StringComparison.Ordinal) : quotedIdentifier;
    }

    /// <inheritdoc/>
    [SuppressMessage("Design", "CA1062", Justification = "Called by the base class alone.")]
    protected override void ApplyParameterInfo(DbParameter parameter, DataRow row, StatementType statementType, bool whereClause) => ((ReplicatedSqliteParameter)parameter).ResetSqliteType();

    /// <inheritdoc/>
    protected override string GetParameterName(int parameterOrdinal) => string.Create(CultureInfo.InvariantCulture, $"@p{parameterOrdinal}");

    /// <inheritdoc/>
    protected override string GetParameterName(string parameterName) => "@" + parameterName;

    /// <inheritdoc/>
    protected override string GetParameterPlaceholder(int parameterOrdinal) => GetParameterName(parameterOrdinal);

    /// <inheritdoc/>
    protected override void SetRowUpdatingHandler(DbDataAdapter adapter)
    {
        var own = (ReplicatedSqliteDataAdapter)adapter;
        if (own == DataAdapter) own.RowUpdating -= BeforeUpdate; // the base class asks for the adapter that it leaves, too
        else own.RowUpdating += BeforeUpdate;
    }

    private void BeforeUpdate(object? sender, RowUpdatingEventArgs row) => RowUpdatingHandler(row);
}
