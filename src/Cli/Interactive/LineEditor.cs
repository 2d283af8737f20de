using System.Globalization;
using System.Text;

namespace ReplicatedSqlite.Cli;

/// <summary>Reads a line at a terminal, with the keys that shells have.</summary>
/// <remarks>One thread. While a key is waited for, Ctrl-C is a key; at any other time it is a signal.</remarks>
internal sealed class LineEditor(TextWriter output, History history, Func<SchemaNames> names) : ILineReader
{
    private const int MaxShown = 100; // candidates

    private readonly EditBuffer _buffer = new();
    private int _row; // of the cursor, below the prompt's
    private bool _hasAskedTwice; // Tab, and Tab again

    /// <inheritdoc/>
    public string? ReadLine(string prompt)
    {
        _buffer.Set("");
        _row = 0;
        Console.TreatControlCAsInput = true;
        try
        {
            Render(prompt);
            while (true)
            {
                var key = Console.ReadKey(intercept: true);
                var isTab = key.Key == ConsoleKey.Tab;
                switch (Apply(key, prompt))
                {
                    case Outcome.Line:
                        EndLine(prompt, "");
                        return _buffer.Text.Replace('↵', '\n');
                    case Outcome.Discarded:
                        EndLine(prompt, "^C");
                        return ILineReader.Discarded;
                    case Outcome.End:
                        EndLine(prompt, "");
                        return null;
                }

                _hasAskedTwice &= isTab;
                if (!Console.KeyAvailable) Render(prompt); // what was pasted is drawn once
            }
        }
        finally
        {
            Console.TreatControlCAsInput = false;
        }
    }

    /// <inheritdoc/>
    public void Remember(string entry) => history.Add(entry);

    private Outcome Apply(ConsoleKeyInfo key, string prompt)
    {
        var control = (key.Modifiers & ConsoleModifiers.Control) != 0;
        var word = control || (key.Modifiers & ConsoleModifiers.Alt) != 0;
        switch (key.Key)
        {
            case ConsoleKey.Enter:
                return Outcome.Line;
            case ConsoleKey.C when control:
                return Outcome.Discarded;
            case ConsoleKey.D when control && _buffer.Text.Length == 0:
                return Outcome.End;
            case ConsoleKey.D when control:
            case ConsoleKey.Delete:
                _buffer.Delete();
                break;
            case ConsoleKey.Backspace:
            case ConsoleKey.H when control:
                _buffer.Backspace();
                break;
            case ConsoleKey.LeftArrow when word:
            case ConsoleKey.B when key.Modifiers == ConsoleModifiers.Alt:
                _buffer.WordLeft();
                break;
            case ConsoleKey.RightArrow when word:
            case ConsoleKey.F when key.Modifiers == ConsoleModifiers.Alt:
                _buffer.WordRight();
                break;
            case ConsoleKey.LeftArrow:
            case ConsoleKey.B when control:
                _buffer.Left();
                break;
            case ConsoleKey.RightArrow:
            case ConsoleKey.F when control:
                _buffer.Right();
                break;
            case ConsoleKey.Home:
            case ConsoleKey.A when control:
                _buffer.Home();
                break;
            case ConsoleKey.End:
            case ConsoleKey.E when control:
                _buffer.End();
                break;
            case ConsoleKey.K when control:
                _buffer.CutToEnd();
                break;
            case ConsoleKey.U when control:
                _buffer.CutToStart();
                break;
            case ConsoleKey.W when control:
                _buffer.CutWord();
                break;
            case ConsoleKey.Y when control:
                _buffer.Paste();
                break;
            case ConsoleKey.L when control:
                output.Write("\e[H\e[2J");
                _row = 0;
                break;
            case ConsoleKey.UpArrow:
            case ConsoleKey.P when control:
                Show(history.Older(_buffer.Text));
                break;
            case ConsoleKey.DownArrow:
            case ConsoleKey.N when control:
                Show(history.Newer());
                break;
            case ConsoleKey.Tab:
                Complete(prompt);
                break;
            default:
                if (key.KeyChar >= ' ' && key.KeyChar != '\x7f') _buffer.Insert(key.KeyChar.ToString());
                break;
        }

        return Outcome.GoOn;
    }

    private void Show(string? entry)
    {
        if (entry is not null) _buffer.Set(entry.Replace('\n', '↵')); // one line to edit; sent as it was
    }

    private void Complete(string prompt)
    {
        var (start, words) = Completer.Complete(_buffer.Text, _buffer.Cursor, names());
        if (words.Count == 0) return;
        if (words.Count == 1)
        {
            _buffer.Replace(start, words[0] + (words[0].EndsWith('/') ? "" : " "));
            return;
        }

        var common = Completer.CommonBeginning(words);
        if (common.Length > _buffer.Cursor - start)
        {
            _buffer.Replace(start, common);
        }
        else if (_hasAskedTwice)
        {
            EndLine(prompt, "");
            output.Write(string.Join("  ", words.Take(MaxShown)) + (words.Count > MaxShown ? FormattableString.Invariant($"  … {words.Count - MaxShown} more") : "") + "\n");
        }

        _hasAskedTwice = true;
    }

    // The whole line is drawn anew: it may be longer than the terminal is wide.
    private void Render(string prompt)
    {
        var width = Math.Max(20, Console.WindowWidth);
        var text = _buffer.Text;
        var total = CellText.Width(prompt) + CellText.Width(text);
        var at = CellText.Width(prompt) + CellText.Width(text[.._buffer.Cursor]);
        var drawn = new StringBuilder();
        if (_row > 0) Append(drawn, _row, 'A');
        drawn.Append("\r\e[J").Append(prompt).Append(CellText.ForTerminal(text));
        if (total > 0 && total % width == 0) drawn.Append("\r\n"); // a terminal waits with the last column
        var up = (total / width) - (at / width);
        if (up > 0) Append(drawn, up, 'A');
        drawn.Append('\r');
        if (at % width > 0) Append(drawn, at % width, 'C');
        _row = at / width;
        output.Write(drawn.ToString());
        output.Flush();
    }

    private void EndLine(string prompt, string mark)
    {
        _buffer.End();
        Render(prompt);
        output.Write(mark + "\n");
        output.Flush();
        _row = 0;
    }

    private static void Append(StringBuilder drawn, int count, char direction) => drawn.Append(CultureInfo.InvariantCulture, $"\e[{count}{direction}");

    private enum Outcome
    {
        GoOn,
        Line,
        Discarded,
        End,
    }
}
