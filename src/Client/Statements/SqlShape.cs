using System.Collections.Concurrent;

namespace ReplicatedSqlite;

/// <summary>What a client has to know about SQL before it sends it: how many statements, which parameters, whether it surely only reads.</summary>
/// <remarks>SQLite on the server has the last word; nothing here decides what is carried out.</remarks>
internal sealed class SqlShape
{
    private const int MaxKept = 1000;
    private const int MaxKeptCharacters = 4096; // longer texts are scripts, which are seldom sent twice

    private static readonly ConcurrentDictionary<string, SqlShape> _kept = new(StringComparer.Ordinal);

    private SqlShape(string sql, List<Range> statements, string[] named, int positional, bool isSurelyRead, string operation)
    {
        Sql = sql;
        Statements = statements;
        Named = named;
        Positional = positional;
        IsSurelyRead = isSurelyRead;
        Operation = operation;
    }

    public string Sql { get; }

    /// <summary>Where its statements are; those without any token are left out.</summary>
    public IReadOnlyList<Range> Statements { get; }

    /// <summary>The names of its parameters with their prefixes, each once.</summary>
    public string[] Named { get; }

    /// <summary>How many values by place its statements take together.</summary>
    public int Positional { get; }

    /// <summary>Every statement starts as a read and can be nothing else.</summary>
    public bool IsSurelyRead { get; }

    /// <summary>The first keyword, in upper case; empty where there is none.</summary>
    public string Operation { get; }

    public static SqlShape Of(string sql)
    {
        if (_kept.TryGetValue(sql, out var known)) return known;
        var shape = Scan(sql);
        if (sql.Length > MaxKeptCharacters) return shape;
        if (_kept.Count >= MaxKept) _kept.Clear(); // texts with values inside would fill any cache: start again
        _kept[sql] = shape;
        return shape;
    }

    /// <summary>The text with <c>?</c> for each literal, for traces.</summary>
    public static string WithoutValues(string sql)
    {
        var text = new System.Text.StringBuilder(sql.Length);
        var scanner = new SqlScanner(sql);
        var copied = 0;
        for (var kind = scanner.Read(); kind != SqlTokenKind.End; kind = scanner.Read())
        {
            if (kind != SqlTokenKind.Literal) continue;
            text.Append(sql, copied, scanner.Start - copied).Append('?');
            copied = scanner.End;
        }

        return copied == 0 ? sql : text.Append(sql, copied, sql.Length - copied).ToString();
    }

    private static SqlShape Scan(string sql)
    {
        var scanner = new SqlScanner(sql);
        var statements = new List<Range>(1);
        List<string>? named = null;
        List<string>? namedHere = null; // in this statement: each numbers its parameters from 1
        var positional = 0;
        var highest = 0;
        var surelyRead = true;
        var operation = "";
        var statement = new StatementScan();
        for (var kind = scanner.Read(); kind != SqlTokenKind.End; kind = scanner.Read())
        {
            if (kind == SqlTokenKind.Semicolon && !statement.IsInTrigger)
            {
                Close(ref statement);
                continue;
            }

            if (kind == SqlTokenKind.Parameter)
            {
                if (scanner.Token[0] == '?')
                {
                    highest = scanner.Token.Length == 1 ? highest + 1 : Math.Max(highest, NumberOf(scanner.Token[1..]));
                }
                else
                {
                    Add(ref named, scanner.Token);
                    if (Add(ref namedHere, scanner.Token)) highest++;
                }
            }

            statement.Take(kind, scanner.Token, scanner.Start, scanner.End);
            if (operation.Length == 0 && kind == SqlTokenKind.Word) operation = scanner.Token.ToString().ToUpperInvariant();
        }

        Close(ref statement);
        return new SqlShape(sql, statements, named is null ? [] : [.. named], positional, surelyRead && statements.Count > 0, operation);

        void Close(ref StatementScan scan)
        {
            if (!scan.IsEmpty)
            {
                statements.Add(scan.Begin..scan.End);
                surelyRead &= scan.IsSurelyRead;
            }

            positional += highest - (namedHere?.Count ?? 0); // "?3" alone makes three
            highest = 0;
            namedHere = null;
            scan = new StatementScan();
        }
    }

    private static int NumberOf(ReadOnlySpan<char> digits) => int.TryParse(digits, out var number) && number <= 32766 ? number : 0;

    private static bool Add(ref List<string>? named, ReadOnlySpan<char> name)
    {
        named ??= [];
        foreach (var known in named)
        {
            if (name.SequenceEqual(known)) return false;
        }

        named.Add(name.ToString());
        return true;
    }

    /// <summary>One statement while it is read.</summary>
    private struct StatementScan
    {
        private int _words;
        private bool _creates;
        private bool _isTrigger;
        private bool _hasWriteWord;
        private bool _startsAsRead;
        private bool _startsWithWith;
        private bool _lastWasSemicolon;
        private bool _closed;

        public StatementScan()
        {
        }

        public int Begin { get; private set; } = -1;

        public int End { get; private set; }

        public readonly bool IsEmpty => Begin < 0;

        public readonly bool IsSurelyRead => _startsAsRead || (_startsWithWith && !_hasWriteWord);

        // Inside CREATE TRIGGER … END a semicolon ends nothing until it follows END.
        public readonly bool IsInTrigger => _isTrigger && !_closed;

        public void Take(SqlTokenKind kind, ReadOnlySpan<char> token, int start, int end)
        {
            if (Begin < 0) Begin = start;
            End = end;
            _closed = false;
            if (kind == SqlTokenKind.Word)
            {
                _words++;
                if (_words == 1)
                {
                    _startsAsRead = Is(token, "SELECT") || Is(token, "VALUES") || Is(token, "EXPLAIN");
                    _startsWithWith = Is(token, "WITH");
                    _creates = Is(token, "CREATE");
                }
                else if (_creates && _words <= 3 && Is(token, "TRIGGER"))
                {
                    _isTrigger = true;
                }

                _hasWriteWord |= Is(token, "INSERT") || Is(token, "UPDATE") || Is(token, "DELETE") || Is(token, "REPLACE");
                if (_isTrigger && _lastWasSemicolon && Is(token, "END")) _closed = true;
            }

            _lastWasSemicolon = kind == SqlTokenKind.Semicolon;
        }

        private static bool Is(ReadOnlySpan<char> token, string word) => token.Equals(word, StringComparison.OrdinalIgnoreCase);
    }
}
