namespace ReplicatedSqlite;

/// <summary>The kinds of tokens that matter to a client.</summary>
internal enum SqlTokenKind
{
    /// <summary>The text has ended.</summary>
    End,

    /// <summary>A keyword or a name without quotes.</summary>
    Word,

    /// <summary>A parameter.</summary>
    Parameter,

    /// <summary>A string, a blob or a number.</summary>
    Literal,

    /// <summary>A name in quotes.</summary>
    QuotedName,

    /// <summary>The end of a statement.</summary>
    Semicolon,

    /// <summary>Any other character.</summary>
    Other,
}

/// <summary>Cuts SQL into tokens as SQLite's tokenizer does; spaces and comments are passed over.</summary>
internal ref struct SqlScanner(ReadOnlySpan<char> sql)
{
    private readonly ReadOnlySpan<char> _sql = sql;

    /// <summary>Where the last token begins.</summary>
    public int Start { get; private set; }

    /// <summary>Where it ends.</summary>
    public int End { get; private set; }

    public readonly ReadOnlySpan<char> Token => _sql[Start..End];

    public SqlTokenKind Read()
    {
        SkipSpace();
        Start = End;
        if (Start >= _sql.Length) return SqlTokenKind.End;
        var first = _sql[Start];
        switch (first)
        {
            case ';':
                End++;
                return SqlTokenKind.Semicolon;
            case '\'':
                SkipQuoted('\'');
                return SqlTokenKind.Literal;
            case '"' or '`':
                SkipQuoted(first);
                return SqlTokenKind.QuotedName;
            case '[':
                var close = _sql[Start..].IndexOf(']');
                End = close < 0 ? _sql.Length : Start + close + 1;
                return SqlTokenKind.QuotedName;
            case '?':
                End++;
                while (End < _sql.Length && char.IsAsciiDigit(_sql[End])) End++;
                return SqlTokenKind.Parameter;
            case ':' or '@' or '$' or '#':
                return ReadNamed();
            case 'x' or 'X' when End + 1 < _sql.Length && _sql[End + 1] == '\'':
                End++;
                SkipQuoted('\'');
                return SqlTokenKind.Literal;
            case >= '0' and <= '9':
            case '.' when End + 1 < _sql.Length && char.IsAsciiDigit(_sql[End + 1]):
                SkipNumber();
                return SqlTokenKind.Literal;
            default:
                End++;
                if (!IsWord(first)) return SqlTokenKind.Other;
                while (End < _sql.Length && IsWord(_sql[End])) End++;
                return SqlTokenKind.Word;
        }
    }

    // As in SQLite: letters, digits, '_', '$' and everything beyond ASCII.
    private static bool IsWord(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '$' || c >= 0x80;

    // "$a::b(c)" is a name in Tcl's manner.
    private SqlTokenKind ReadNamed()
    {
        var tcl = _sql[Start] == '$';
        End++;
        var begin = End;
        while (End < _sql.Length)
        {
            if (IsWord(_sql[End]))
            {
                End++;
            }
            else if (tcl && _sql[End..].StartsWith("::"))
            {
                End += 2;
            }
            else if (tcl && _sql[End] == '(' && _sql[End..].IndexOf(')') is > 0 and var close && !_sql[End..(End + close)].ContainsAny(" \t\r\n"))
            {
                End += close + 1;
                break;
            }
            else
            {
                break;
            }
        }

        return End == begin ? SqlTokenKind.Other : SqlTokenKind.Parameter;
    }

    private void SkipNumber()
    {
        while (End < _sql.Length && (IsWord(_sql[End]) || _sql[End] == '.' || (_sql[End] is '+' or '-' && _sql[End - 1] is 'e' or 'E' && !IsHex()))) End++;
    }

    private readonly bool IsHex() => _sql[Start..End].StartsWith("0x", StringComparison.OrdinalIgnoreCase);

    private void SkipQuoted(char quote)
    {
        End++;
        while (End < _sql.Length)
        {
            if (_sql[End++] != quote) continue;
            if (End >= _sql.Length || _sql[End] != quote) return;
            End++; // doubled: one of them, and no end
        }
    }

    private void SkipSpace()
    {
        while (End < _sql.Length)
        {
            var rest = _sql[End..];
            if (rest[0] is ' ' or '\t' or '\r' or '\n' or '\f')
            {
                End++;
            }
            else if (rest.StartsWith("--"))
            {
                var line = rest.IndexOf('\n');
                End = line < 0 ? _sql.Length : End + line + 1;
            }
            else if (rest.StartsWith("/*"))
            {
                var close = rest[2..].IndexOf("*/");
                End = close < 0 ? _sql.Length : End + close + 4;
            }
            else
            {
                return;
            }
        }
    }
}
