using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>A column of a result. All but the name is empty for an expression.</summary>
/// <param name="Name">The name, as SQLite gives it.</param>
/// <param name="DeclaredType">As in CREATE TABLE.</param>
/// <param name="OriginTable">The table it comes from.</param>
/// <param name="OriginColumn">The column of that table.</param>
/// <param name="NotNull">Declared NOT NULL.</param>
/// <param name="PrimaryKey">Part of the primary key.</param>
/// <param name="AutoIncrement">Declared AUTOINCREMENT.</param>
public sealed record ResultColumn(
    string Name, string DeclaredType, string OriginTable, string OriginColumn, bool NotNull, bool PrimaryKey, bool AutoIncrement)
{
    internal static ResultColumn From(ColumnInfo info) =>
        new(info.Name, info.DeclaredType, info.OriginTable, info.OriginColumn, info.NotNull, info.PrimaryKey, info.Autoincrement);
}
