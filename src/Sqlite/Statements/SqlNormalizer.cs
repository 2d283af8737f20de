using System.Text;

namespace ReplicatedSqlite.Sqlite;

/// <summary>SQL without its values: for logs and lists, where they must not be seen, and where statements that differ in them alone should look alike.</summary>
/// <remarks>
/// The same text as SQLite's <c>sqlite3_normalized_sql()</c>: literals, parameters and NULL become <c>?</c>, a list behind IN becomes <c>(?,?,?)</c>, comments and blanks go, keywords
/// are in capitals, names in small letters. That function wants a prepared statement; this one also serves those that wait, or that SQLite has refused. Without the schema nobody
/// knows whether <c>"x"</c> is a name or, as SQLite allows, a text: it is shown only where it can be nothing but a name.
/// </remarks>
public static class SqlNormalizer
{
    /// <summary>Bytes of a normalized text, at most.</summary>
    public const int MaxBytes = 2048;

    /// <summary>The text without values, cut at <see cref="MaxBytes"/> of UTF-8.</summary>
    public static string Normalize(string sql)
    {
        var text = new Builder();
        var position = 0;
        while (position < sql.Length && text.Length < MaxBytes)
        {
            var (kind, length) = SqlTokens.Next(sql, position);
            text.Add(kind, sql.AsSpan(position, length), sql, position + length);
            position += length;
        }

        return Cut(text.ToString(), isComplete: position >= sql.Length);
    }

    /// <summary>A text, cut at <see cref="MaxBytes"/> of UTF-8.</summary>
    public static string Cut(string text, bool isComplete = true)
    {
        if (isComplete && Encoding.UTF8.GetByteCount(text) <= MaxBytes)
        {
            return text;
        }

        var bytes = 0;
        var length = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > MaxBytes - 3) // of the ellipsis
            {
                break;
            }

            length += rune.Utf16SequenceLength;
        }

        return string.Concat(text.AsSpan(0, length), "…");
    }

    private sealed class Builder
    {
        // After these a quoted word is a name: a text would make no sense to SQLite there.
        private static readonly HashSet<string> _beforeNames = new(StringComparer.Ordinal)
        {
            "FROM", "JOIN", "INTO", "UPDATE", "TABLE", "INDEX", "VIEW", "TRIGGER", "EXISTS", "AS", "REFERENCES", "COLUMN", "TO", "COLLATE", "SAVEPOINT", "RELEASE", "INDEXED", "CONSTRAINT",
            "RENAME", "ADD", "DROP", "WINDOW", "OVER", "WITH", "SET",
        };

        private readonly StringBuilder _text = new();
        private readonly Stack<bool> _listsOfNames = new(); // of the open parentheses: INSERT INTO t (…) and the like
        private string _previous = ""; // the token before, a keyword in capitals
        private bool _afterTableName; // INTO t
        private int _parentheses;
        private int _inStart = -1; // of the text behind IN(
        private int _inDepth;

        public int Length => _text.Length;

        public void Add(SqlTokenKind kind, ReadOnlySpan<char> token, string sql, int next)
        {
            switch (kind)
            {
                case SqlTokenKind.Blank:
                    return;
                case SqlTokenKind.Value:
                    _text.Append('?');
                    Remember("?");
                    return;
                case SqlTokenKind.Quoted:
                    AddQuoted(token, sql, next);
                    return;
                case SqlTokenKind.Word:
                    AddWord(token);
                    return;
                default:
                    AddOperator(token);
                    return;
            }
        }

        public override string ToString()
        {
            if (_text.Length > 0 && _previous != ";")
            {
                _text.Append(';');
            }

            return _text.ToString();
        }

        private void AddWord(ReadOnlySpan<char> word)
        {
            if (!SqlKeywords.Contains(word))
            {
                Separate();
                foreach (var letter in word)
                {
                    _text.Append(char.IsAscii(letter) ? char.ToLowerInvariant(letter) : letter);
                }

                Remember("name");
                return;
            }

            var keyword = word.ToString().ToUpperInvariant();
            if (keyword == "NULL" && _previous is not ("IS" or "NOT"))
            {
                _text.Append('?');
                Remember("?");
                return;
            }

            if (keyword == "SELECT")
            {
                _inStart = -1; // IN (SELECT …) is no list
            }

            Separate();
            _text.Append(keyword);
            Remember(keyword);
        }

        private void AddQuoted(ReadOnlySpan<char> token, string sql, int next)
        {
            var quote = token[0];
            if (quote == '"' && !IsName(sql, next))
            {
                _text.Append('?');
                Remember("?");
                return;
            }

            var end = quote == '[' ? ']' : quote;
            var body = token.Length > 1 && token[^1] == end ? token[1..^1].ToString() : token[1..].ToString();
            var name = (quote == '[' ? body : body.Replace($"{quote}{quote}", $"{quote}", StringComparison.Ordinal)).ToLowerInvariant();
            if (name.Length > 0 && SqlTokens.Next(name, 0) is (SqlTokenKind.Word, var length) && length == name.Length && !SqlKeywords.Contains(name))
            {
                Separate();
                _text.Append(name);
            }
            else
            {
                _text.Append('"').Append(name.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
            }

            Remember("name");
        }

        private bool IsName(string sql, int next)
        {
            if (_previous == "." || _beforeNames.Contains(_previous) || (_listsOfNames.TryPeek(out var names) && names))
            {
                return true;
            }

            while (next < sql.Length && SqlTokens.Next(sql, next) is (SqlTokenKind.Blank, var length))
            {
                next += length;
            }

            return next < sql.Length && sql[next] == '.';
        }

        private void AddOperator(ReadOnlySpan<char> token)
        {
            if (token is "(")
            {
                _parentheses++;
                _listsOfNames.Push(_afterTableName);
                if (_previous == "IN")
                {
                    (_inStart, _inDepth) = (_text.Length, _parentheses);
                }
            }
            else if (token is ")")
            {
                _listsOfNames.TryPop(out _);
                if (_inStart >= 0 && _parentheses == _inDepth)
                {
                    _text.Length = _inStart + 1;
                    _text.Append("?,?,?");
                    _inStart = -1;
                }

                _parentheses--;
            }

            _text.Append(token);
            Remember(token.ToString());
        }

        // INTO, then a name that may have a schema before it: what follows in parentheses are columns.
        private void Remember(string token)
        {
            _afterTableName = token == "name" && (_previous is "INTO" || (_previous == "." && _afterTableName)) || (token == "." && _afterTableName);
            _previous = token;
        }

        private void Separate()
        {
            if (_text.Length > 0 && SqlTokens.IsNameLetter(_text[^1]))
            {
                _text.Append(' ');
            }
        }
    }
}
