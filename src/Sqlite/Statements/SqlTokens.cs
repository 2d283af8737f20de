namespace ReplicatedSqlite.Sqlite;

/// <summary>What a token is to somebody who wants to know values from names.</summary>
internal enum SqlTokenKind
{
    /// <summary>Space or a comment.</summary>
    Blank,

    /// <summary>A literal or a parameter.</summary>
    Value,

    /// <summary>A name or keyword.</summary>
    Word,

    /// <summary>A name in double quotes, backticks or brackets; in double quotes perhaps a text.</summary>
    Quoted,

    /// <summary>Anything else.</summary>
    Operator,
}

/// <summary>Tells SQL's tokens apart, as SQLite does. An unterminated one reaches to the end.</summary>
/// <remarks>Source: SQLite, <c>tokenize.c</c>.</remarks>
internal static class SqlTokens
{
    public static bool IsNameLetter(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '$' || letter >= 0x80;

    /// <summary>The token at a position, which is not the end.</summary>
    public static (SqlTokenKind Kind, int Length) Next(string sql, int position)
    {
        var rest = sql.AsSpan(position);
        var next = rest.Length > 1 ? rest[1] : '\0';
        return rest[0] switch
        {
            ' ' or '\t' or '\n' or '\f' or '\r' => (SqlTokenKind.Blank, LengthOf(rest, 1, static letter => letter is ' ' or '\t' or '\n' or '\f' or '\r')),
            '-' when next == '-' => (SqlTokenKind.Blank, rest.IndexOf('\n') is var end and >= 0 ? end + 1 : rest.Length),
            '/' when next == '*' => (SqlTokenKind.Blank, rest[2..].IndexOf("*/") is var end and >= 0 ? end + 4 : rest.Length),
            '\'' => (SqlTokenKind.Value, Quoted(rest, '\'')),
            '"' => (SqlTokenKind.Quoted, Quoted(rest, '"')),
            '`' => (SqlTokenKind.Quoted, Quoted(rest, '`')),
            '[' => (SqlTokenKind.Quoted, rest.IndexOf(']') is var end and >= 0 ? end + 1 : rest.Length),
            'x' or 'X' when next == '\'' => (SqlTokenKind.Value, rest[2..].IndexOf('\'') is var end and >= 0 ? end + 3 : rest.Length),
            '?' => (SqlTokenKind.Value, LengthOf(rest, 1, char.IsAsciiDigit)),
            ':' or '@' or '#' or '$' when IsNameLetter(next) || (rest[0] == '$' && next == ':') => (SqlTokenKind.Value, Variable(rest)),
            >= '0' and <= '9' => (SqlTokenKind.Value, Number(rest)),
            '.' when char.IsAsciiDigit(next) => (SqlTokenKind.Value, Number(rest)),
            '|' when next == '|' => (SqlTokenKind.Operator, 2),
            '<' when next is '=' or '>' or '<' => (SqlTokenKind.Operator, 2),
            '>' when next is '=' or '>' => (SqlTokenKind.Operator, 2),
            '=' or '!' when next == '=' => (SqlTokenKind.Operator, 2),
            '-' when next == '>' => (SqlTokenKind.Operator, rest is ['-', '>', '>', ..] ? 3 : 2),
            var letter when IsNameLetter(letter) => (SqlTokenKind.Word, LengthOf(rest, 1, IsNameLetter)),
            _ => (SqlTokenKind.Operator, 1),
        };
    }

    private static int LengthOf(ReadOnlySpan<char> rest, int from, Func<char, bool> belongs)
    {
        while (from < rest.Length && belongs(rest[from]))
        {
            from++;
        }

        return from;
    }

    private static int Quoted(ReadOnlySpan<char> rest, char quote)
    {
        var end = 1;
        while (end < rest.Length)
        {
            if (rest[end++] == quote)
            {
                if (end == rest.Length || rest[end] != quote)
                {
                    return end;
                }

                end++; // doubled
            }
        }

        return rest.Length;
    }

    // $name::more(anything) is one parameter in Tcl's way.
    private static int Variable(ReadOnlySpan<char> rest)
    {
        var end = 1;
        while (end < rest.Length)
        {
            if (IsNameLetter(rest[end]))
            {
                end++;
            }
            else if (rest[end] == '(' && end > 1)
            {
                var close = rest[end..].IndexOfAny(')', ' ');
                return close >= 0 && rest[end + close] == ')' ? end + close + 1 : end;
            }
            else if (rest[end] == ':' && end + 1 < rest.Length && rest[end + 1] == ':')
            {
                end += 2;
            }
            else
            {
                break;
            }
        }

        return end;
    }

    private static int Number(ReadOnlySpan<char> rest)
    {
        if (rest.Length > 2 && rest[0] == '0' && rest[1] is 'x' or 'X' && char.IsAsciiHexDigit(rest[2]))
        {
            return LengthOf(rest, 2, static letter => char.IsAsciiHexDigit(letter) || letter == '_');
        }

        var end = LengthOf(rest, 0, static letter => char.IsAsciiDigit(letter) || letter == '_');
        if (end < rest.Length && rest[end] == '.')
        {
            end = LengthOf(rest, end + 1, static letter => char.IsAsciiDigit(letter) || letter == '_');
        }

        if (end < rest.Length && rest[end] is 'e' or 'E')
        {
            var sign = end + 1 < rest.Length && rest[end + 1] is '+' or '-' ? 1 : 0;
            if (end + 1 + sign < rest.Length && char.IsAsciiDigit(rest[end + 1 + sign]))
            {
                end = LengthOf(rest, end + 1 + sign, static letter => char.IsAsciiDigit(letter) || letter == '_');
            }
        }

        return LengthOf(rest, end, IsNameLetter); // 12abc is no token to SQLite; here it is at least not a name
    }
}
