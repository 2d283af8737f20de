namespace ReplicatedSqlite.Cli;

/// <summary>The kinds of token that tell statements apart.</summary>
internal enum SqlToken
{
    Space, // and comments
    Semicolon,
    Word,
    Other, // quoted text and names, operators
}

/// <summary>Cuts SQL into tokens the way <c>sqlite3_complete()</c> does: just fine enough never to take a <c>;</c> in a string, name or comment for an end.</summary>
/// <remarks>Source: SQLite, <c>complete.c</c>. A doubled quote inside a string reads as two strings side by side, which cuts the same.</remarks>
internal ref struct SqlTokenizer(ReadOnlySpan<char> sql, int position)
{
    private readonly ReadOnlySpan<char> _sql = sql;
    private int _position = position;

    public SqlToken Kind { get; private set; }

    public int Start { get; private set; }

    public readonly int End => _position;

    /// <summary>The last token is a string, name or comment that never ends.</summary>
    public bool Unterminated { get; private set; }

    public readonly ReadOnlySpan<char> Text => _sql[Start.._position];

    public bool Next()
    {
        Start = _position;
        if (_position >= _sql.Length) return false;
        var rest = _sql[_position..];
        switch (rest[0])
        {
            case ';':
                return Take(SqlToken.Semicolon, 1);
            case ' ' or '\t' or '\r' or '\n' or '\f':
                var space = rest.IndexOfAnyExcept(" \t\r\n\f");
                return Take(SqlToken.Space, space < 0 ? rest.Length : space);
            case '/' when rest.StartsWith("/*"):
                return TakeThrough(SqlToken.Space, rest[2..].IndexOf("*/"), 4);
            case '-' when rest.StartsWith("--"):
                var line = rest.IndexOf('\n'); // a comment may also end with the text
                return Take(SqlToken.Space, line < 0 ? rest.Length : line + 1);
            case '[':
                return TakeThrough(SqlToken.Other, rest[1..].IndexOf(']'), 2);
            case '\'' or '"' or '`':
                return TakeThrough(SqlToken.Other, rest[1..].IndexOf(rest[0]), 2);
            case var c when IsWordCharacter(c):
                var length = 1;
                while (length < rest.Length && IsWordCharacter(rest[length])) length++;
                return Take(SqlToken.Word, length);
            default:
                return Take(SqlToken.Other, 1);
        }
    }

    private static bool IsWordCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '$' || c >= 0x80;

    private bool TakeThrough(SqlToken kind, int index, int around)
    {
        Unterminated = index < 0;
        return Take(kind, index < 0 ? _sql.Length - _position : index + around);
    }

    private bool Take(SqlToken kind, int length)
    {
        Kind = kind;
        _position += length;
        return true;
    }
}
