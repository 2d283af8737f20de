using System.Data;
using System.Data.Common;
using System.Globalization;

namespace ReplicatedSqlite;

/// <summary>What <c>GetSchema</c> tells: about the provider by itself, about the database by asking it.</summary>
internal static class SchemaCollections
{
    private static readonly Dictionary<string, SchemaQuery> _queries = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Tables"] = new(
            "SELECT 'main' AS TABLE_CATALOG, NULL AS TABLE_SCHEMA, name AS TABLE_NAME, CASE type WHEN 'view' THEN 'VIEW' ELSE 'TABLE' END AS TABLE_TYPE, sql AS TABLE_DEFINITION FROM sqlite_schema "
            + "WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name NOT LIKE '!_rs!_%' ESCAPE '!'",
            ["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "TABLE_TYPE"],
            Parts: 3),
        ["Views"] = new(
            "SELECT 'main' AS TABLE_CATALOG, NULL AS TABLE_SCHEMA, name AS TABLE_NAME, sql AS VIEW_DEFINITION FROM sqlite_schema WHERE type = 'view'",
            ["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME"],
            Parts: 3),
        ["Columns"] = new(
            "SELECT 'main' AS TABLE_CATALOG, NULL AS TABLE_SCHEMA, t.name AS TABLE_NAME, c.name AS COLUMN_NAME, c.cid AS ORDINAL_POSITION, c.dflt_value AS COLUMN_DEFAULT, c.\"notnull\" = 0 AS IS_NULLABLE, "
            + "c.type AS DATA_TYPE, c.pk > 0 AS PRIMARY_KEY FROM sqlite_schema t, pragma_table_info(t.name) c "
            + "WHERE t.type IN ('table', 'view') AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!' AND t.name NOT LIKE '!_rs!_%' ESCAPE '!'",
            ["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME"],
            Parts: 4),
        ["Indexes"] = new(
            "SELECT 'main' AS TABLE_CATALOG, NULL AS TABLE_SCHEMA, t.name AS TABLE_NAME, i.name AS INDEX_NAME, i.\"unique\" AS IS_UNIQUE, i.origin = 'pk' AS PRIMARY_KEY, i.partial AS IS_PARTIAL "
            + "FROM sqlite_schema t, pragma_index_list(t.name) i WHERE t.type = 'table' AND t.name NOT LIKE '!_rs!_%' ESCAPE '!'",
            ["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "INDEX_NAME"],
            Parts: 4),
        ["IndexColumns"] = new(
            "SELECT 'main' AS TABLE_CATALOG, NULL AS TABLE_SCHEMA, t.name AS TABLE_NAME, i.name AS INDEX_NAME, c.name AS COLUMN_NAME, c.seqno AS ORDINAL_POSITION "
            + "FROM sqlite_schema t, pragma_index_list(t.name) i, pragma_index_info(i.name) c WHERE t.type = 'table' AND t.name NOT LIKE '!_rs!_%' ESCAPE '!'",
            ["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "INDEX_NAME", "COLUMN_NAME"],
            Parts: 5),
        ["ForeignKeys"] = new(
            "SELECT 'main' AS TABLE_CATALOG, NULL AS TABLE_SCHEMA, t.name AS TABLE_NAME, f.id AS CONSTRAINT_ID, f.\"from\" AS COLUMN_NAME, f.\"table\" AS REFERENCED_TABLE_NAME, f.\"to\" AS REFERENCED_COLUMN_NAME, "
            + "f.on_update AS UPDATE_RULE, f.on_delete AS DELETE_RULE FROM sqlite_schema t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table' AND t.name NOT LIKE '!_rs!_%' ESCAPE '!'",
            ["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME"],
            Parts: 3),
    };

    public static async Task<DataTable> ReadAsync(ReplicatedSqliteConnection connection, string collectionName, string?[] restrictions, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(collectionName);
        restrictions ??= [];
        if (_queries.TryGetValue(collectionName, out var query)) return await ReadAsync(connection, collectionName, query, restrictions, cancellationToken).ConfigureAwait(false);
        connection.Executor("GetSchema");
        var table = collectionName.ToUpperInvariant() switch
        {
            "METADATACOLLECTIONS" => Collections(),
            "DATASOURCEINFORMATION" => Information(connection),
            "DATATYPES" => DataTypes(),
            "RESERVEDWORDS" => ReservedWords(),
            "RESTRICTIONS" => Restrictions(),
            _ => throw new ArgumentException(
                $"There is no schema collection '{collectionName}'. There are MetaDataCollections, DataSourceInformation, DataTypes, ReservedWords, Restrictions, {string.Join(", ", _queries.Keys)}.",
                nameof(collectionName)),
        };
        return restrictions.Length == 0 ? table : throw TooMany(collectionName, 0);
    }

    private static async Task<DataTable> ReadAsync(
        ReplicatedSqliteConnection connection, string name, SchemaQuery query, string?[] restrictions, CancellationToken cancellationToken)
    {
        if (restrictions.Length > query.Restrictions.Length) throw TooMany(name, query.Restrictions.Length);
        var command = connection.CreateCommand();
        await using (command.ConfigureAwait(false))
        {
            command.CommandText = $"SELECT * FROM ({query.Sql})";
            var given = restrictions.Select((value, i) => (Value: value, Column: query.Restrictions[i])).Where(restriction => restriction.Value is not null).ToList();
            for (var i = 0; i < given.Count; i++)
            {
                command.CommandText += $"{(i == 0 ? " WHERE" : " AND")} {given[i].Column} = ${i}";
                command.Parameters.AddWithValue($"${i}", given[i].Value);
            }

            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                var table = NewTable(name);
                for (var i = 0; i < reader.FieldCount; i++) table.Columns.Add(reader.GetName(i), ColumnType(reader.GetName(i)));
                var values = new object[reader.FieldCount];
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                {
                    for (var i = 0; i < values.Length; i++) values[i] = reader.IsDBNull(i) ? DBNull.Value : ColumnType(reader.GetName(i)) == typeof(bool) ? reader.GetBoolean(i) : reader.GetValue(i);
                    table.Rows.Add(values);
                }

                return table;
            }
        }
    }

    private static Type ColumnType(string name) =>
        name.StartsWith("IS_", StringComparison.Ordinal) || name == "PRIMARY_KEY" ? typeof(bool)
        : name is "ORDINAL_POSITION" or "CONSTRAINT_ID" ? typeof(long)
        : typeof(string);

    private static ArgumentException TooMany(string collection, int count) => new($"The schema collection '{collection}' has {count} restrictions; more were given.");

    private static DataTable Collections()
    {
        var table = NewTable(DbMetaDataCollectionNames.MetaDataCollections);
        table.Columns.Add(DbMetaDataColumnNames.CollectionName, typeof(string));
        table.Columns.Add(DbMetaDataColumnNames.NumberOfRestrictions, typeof(int));
        table.Columns.Add(DbMetaDataColumnNames.NumberOfIdentifierParts, typeof(int));
        foreach (var name in (string[])["MetaDataCollections", "DataSourceInformation", "DataTypes", "ReservedWords", "Restrictions"]) table.Rows.Add(name, 0, 0);
        foreach (var (name, query) in _queries) table.Rows.Add(name, query.Restrictions.Length, query.Parts);
        return table;
    }

    private static DataTable Restrictions()
    {
        var table = NewTable(DbMetaDataCollectionNames.Restrictions);
        foreach (var name in (string[])["CollectionName", "RestrictionName", "RestrictionDefault"]) table.Columns.Add(name, typeof(string));
        table.Columns.Add("RestrictionNumber", typeof(int));
        foreach (var (name, query) in _queries)
        {
            for (var i = 0; i < query.Restrictions.Length; i++) table.Rows.Add(name, query.Restrictions[i], query.Restrictions[i], i + 1);
        }

        return table;
    }

    private static DataTable Information(ReplicatedSqliteConnection connection)
    {
        var table = NewTable(DbMetaDataCollectionNames.DataSourceInformation);
        (string Name, object Value)[] facts =
        [
            (DbMetaDataColumnNames.CompositeIdentifierSeparatorPattern, @"\."),
            (DbMetaDataColumnNames.DataSourceProductName, "ReplicatedSqlite"),
            (DbMetaDataColumnNames.DataSourceProductVersion, connection.ServerVersion),
            (DbMetaDataColumnNames.DataSourceProductVersionNormalized, connection.ServerVersion),
            (DbMetaDataColumnNames.GroupByBehavior, GroupByBehavior.MustContainAll),
            (DbMetaDataColumnNames.IdentifierPattern, "(^[A-Za-z_\\u0080-\\uffff][A-Za-z0-9_$\\u0080-\\uffff]*$)|(^\"([^\"]|\"\")*\"$)"),
            (DbMetaDataColumnNames.IdentifierCase, IdentifierCase.Insensitive),
            (DbMetaDataColumnNames.OrderByColumnsInSelect, false),
            (DbMetaDataColumnNames.ParameterMarkerFormat, "{0}"),
            (DbMetaDataColumnNames.ParameterMarkerPattern, @"[@:$][A-Za-z0-9_$\u0080-\uffff]+"),
            (DbMetaDataColumnNames.ParameterNameMaxLength, 0),
            (DbMetaDataColumnNames.ParameterNamePattern, @"^[A-Za-z0-9_$\u0080-\uffff]+$"),
            (DbMetaDataColumnNames.QuotedIdentifierPattern, "\"(([^\"]|\"\")*)\""),
            (DbMetaDataColumnNames.QuotedIdentifierCase, IdentifierCase.Insensitive),
            (DbMetaDataColumnNames.StatementSeparatorPattern, ";"),
            (DbMetaDataColumnNames.StringLiteralPattern, "'(([^']|'')*)'"),
            (DbMetaDataColumnNames.SupportedJoinOperators, SupportedJoinOperators.Inner | SupportedJoinOperators.LeftOuter | SupportedJoinOperators.RightOuter | SupportedJoinOperators.FullOuter),
        ];
        foreach (var (name, value) in facts) table.Columns.Add(name, value.GetType());
        table.Rows.Add([.. facts.Select(fact => fact.Value)]);
        return table;
    }

    private static DataTable DataTypes()
    {
        var table = NewTable(DbMetaDataCollectionNames.DataTypes);
        table.Columns.Add(DbMetaDataColumnNames.TypeName, typeof(string));
        table.Columns.Add(DbMetaDataColumnNames.ProviderDbType, typeof(int));
        table.Columns.Add(DbMetaDataColumnNames.ColumnSize, typeof(long));
        table.Columns.Add(DbMetaDataColumnNames.CreateFormat, typeof(string));
        table.Columns.Add(DbMetaDataColumnNames.DataType, typeof(string));
        table.Columns.Add(DbMetaDataColumnNames.IsAutoIncrementable, typeof(bool));
        table.Columns.Add(DbMetaDataColumnNames.IsBestMatch, typeof(bool));
        table.Columns.Add(DbMetaDataColumnNames.IsCaseSensitive, typeof(bool));
        table.Columns.Add(DbMetaDataColumnNames.IsNullable, typeof(bool));
        table.Columns.Add(DbMetaDataColumnNames.IsSearchable, typeof(bool));
        const long LargestValueBytes = 16 * 1024 * 1024;
        table.Rows.Add("INTEGER", (int)ReplicatedSqliteType.Integer, 8L, "INTEGER", typeof(long).FullName, true, true, false, true, true);
        table.Rows.Add("REAL", (int)ReplicatedSqliteType.Real, 8L, "REAL", typeof(double).FullName, false, true, false, true, true);
        table.Rows.Add("TEXT", (int)ReplicatedSqliteType.Text, LargestValueBytes, "TEXT", typeof(string).FullName, false, true, true, true, true);
        table.Rows.Add("BLOB", (int)ReplicatedSqliteType.Blob, LargestValueBytes, "BLOB", typeof(byte[]).FullName, false, true, false, true, true);
        return table;
    }

    private static DataTable ReservedWords()
    {
        var table = NewTable(DbMetaDataCollectionNames.ReservedWords);
        table.Columns.Add(DbMetaDataColumnNames.ReservedWord, typeof(string));
        foreach (var word in Keywords.All) table.Rows.Add(word);
        return table;
    }

    private static DataTable NewTable(string name) => new(name) { Locale = CultureInfo.InvariantCulture };

    private sealed record SchemaQuery(string Sql, string[] Restrictions, int Parts);
}
