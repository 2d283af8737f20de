using System.Data;
using System.Data.Common;
using System.Globalization;

namespace ReplicatedSqlite;

/// <summary>One column of a result, as ADO.NET describes it.</summary>
internal sealed class ReplicatedSqliteColumn : DbColumn
{
    public ReplicatedSqliteColumn(ResultColumn column, int ordinal, Type type, string typeName)
    {
        var isStored = column.OriginColumn.Length > 0;
        ColumnName = column.Name;
        ColumnOrdinal = ordinal;
        ColumnSize = -1;
        DataType = type;
        DataTypeName = typeName;
        AllowDBNull = isStored ? !column.NotNull : null;
        BaseCatalogName = isStored ? "main" : null;
        BaseTableName = isStored ? column.OriginTable : null;
        BaseColumnName = isStored ? column.OriginColumn : null;
        IsAliased = isStored ? column.Name != column.OriginColumn : null;
        IsExpression = !isStored;
        IsKey = isStored ? column.PrimaryKey : null;
        IsAutoIncrement = isStored ? column.AutoIncrement : null;
        IsLong = type == typeof(byte[]);
    }
}

/// <summary>The same as a table, as older code asks for it.</summary>
internal static class SchemaTable
{
    public static DataTable Create(IReadOnlyList<DbColumn> columns)
    {
        var table = new DataTable("SchemaTable") { Locale = CultureInfo.InvariantCulture };
        foreach (var (name, type) in new (string, Type)[]
        {
            (SchemaTableColumn.ColumnName, typeof(string)),
            (SchemaTableColumn.ColumnOrdinal, typeof(int)),
            (SchemaTableColumn.ColumnSize, typeof(int)),
            (SchemaTableColumn.NumericPrecision, typeof(short)),
            (SchemaTableColumn.NumericScale, typeof(short)),
            (SchemaTableColumn.IsUnique, typeof(bool)),
            (SchemaTableColumn.IsKey, typeof(bool)),
            ("BaseServerName", typeof(string)),
            ("BaseCatalogName", typeof(string)),
            (SchemaTableColumn.BaseColumnName, typeof(string)),
            (SchemaTableColumn.BaseSchemaName, typeof(string)),
            (SchemaTableColumn.BaseTableName, typeof(string)),
            (SchemaTableColumn.DataType, typeof(Type)),
            ("DataTypeName", typeof(string)),
            (SchemaTableColumn.AllowDBNull, typeof(bool)),
            (SchemaTableColumn.IsAliased, typeof(bool)),
            (SchemaTableColumn.IsExpression, typeof(bool)),
            (SchemaTableOptionalColumn.IsAutoIncrement, typeof(bool)),
            (SchemaTableOptionalColumn.IsReadOnly, typeof(bool)),
            (SchemaTableColumn.IsLong, typeof(bool)),
        })
        {
            table.Columns.Add(name, type);
        }

        foreach (var column in columns)
        {
            var row = table.NewRow();
            foreach (DataColumn field in table.Columns) row[field] = column[field.ColumnName] ?? DBNull.Value;
            table.Rows.Add(row);
        }

        return table;
    }
}
