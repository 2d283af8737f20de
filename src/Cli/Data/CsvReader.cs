using System.Text;

namespace ReplicatedSqlite.Cli;

/// <summary>Reads CSV as RFC 4180 has it: commas, quotes, doubled quotes, line ends within quotes; LF or CRLF.</summary>
internal sealed class CsvReader(TextReader input)
{
    private const int MaxFieldCharacters = 16 << 20;

    private readonly StringBuilder _field = new();
    private readonly List<string> _fields = [];

    /// <summary>Of the record that was read last; the first is 1.</summary>
    public int Line { get; private set; }

    private int _lines = 1;

    /// <summary>The next record; <see langword="null"/> at the end.</summary>
    /// <exception cref="LoadException">It is not CSV.</exception>
    public string[]? Read()
    {
        if (input.Peek() < 0) return null;
        Line = _lines;
        _fields.Clear();
        while (true)
        {
            var end = ReadField();
            _fields.Add(_field.ToString());
            if (end != ',') return [.. _fields];
        }
    }

    // Returns what ended the field: ',', '\n', or -1.
    private int ReadField()
    {
        _field.Clear();
        if (input.Peek() == '"')
        {
            input.Read();
            ReadQuoted();
            var next = input.Read();
            if (next == '\r' && input.Peek() == '\n') next = input.Read();
            if (next is not (',' or '\n' or -1)) throw new LoadException($"Line {_lines}: behind a closing quote a comma or the end of the line is wanted, not '{(char)next}'.", 0);
            if (next == '\n') _lines++;
            return next;
        }

        while (true)
        {
            var next = input.Read();
            if (next == '\r' && input.Peek() == '\n') continue;
            if (next is ',' or -1) return next;
            if (next == '\n')
            {
                _lines++;
                return next;
            }

            Append(next);
        }
    }

    private void ReadQuoted()
    {
        var opened = _lines;
        while (true)
        {
            var next = input.Read();
            switch (next)
            {
                case -1:
                    throw new LoadException($"Line {opened}: a quote is opened here and never closed.", 0);
                case '"' when input.Peek() != '"':
                    return;
                case '"':
                    input.Read();
                    break;
                case '\n':
                    _lines++;
                    break;
            }

            Append(next);
        }
    }

    private void Append(int character)
    {
        if (_field.Length == MaxFieldCharacters) throw new LoadException($"Line {_lines}: a field has more than {MaxFieldCharacters} characters. Is a quote missing?", 0);
        _field.Append((char)character);
    }
}
