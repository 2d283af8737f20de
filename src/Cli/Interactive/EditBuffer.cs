using System.Text;

namespace ReplicatedSqlite.Cli;

/// <summary>The line that somebody types, and what keys do to it.</summary>
internal sealed class EditBuffer
{
    private readonly StringBuilder _text = new();
    private string _cut = "";

    public string Text => _text.ToString();

    /// <summary>Between characters, from 0.</summary>
    public int Cursor { get; private set; }

    public void Set(string text)
    {
        _text.Clear().Append(text);
        Cursor = text.Length;
    }

    public void Insert(string text)
    {
        _text.Insert(Cursor, text);
        Cursor += text.Length;
    }

    /// <summary>Puts another text in the place of one before the cursor.</summary>
    public void Replace(int start, string text)
    {
        _text.Remove(start, Cursor - start);
        Cursor = start;
        Insert(text);
    }

    public void Left() => Cursor -= LengthBefore();

    public void Right() => Cursor += LengthBehind();

    public void Home() => Cursor = 0;

    public void End() => Cursor = _text.Length;

    public void WordLeft()
    {
        while (Cursor > 0 && !char.IsLetterOrDigit(_text[Cursor - 1])) Cursor--;
        while (Cursor > 0 && char.IsLetterOrDigit(_text[Cursor - 1])) Cursor--;
    }

    public void WordRight()
    {
        while (Cursor < _text.Length && !char.IsLetterOrDigit(_text[Cursor])) Cursor++;
        while (Cursor < _text.Length && char.IsLetterOrDigit(_text[Cursor])) Cursor++;
    }

    public void Backspace()
    {
        var length = LengthBefore();
        Cursor -= length;
        _text.Remove(Cursor, length);
    }

    public void Delete() => _text.Remove(Cursor, LengthBehind());

    public void CutToEnd()
    {
        _cut = _text.ToString(Cursor, _text.Length - Cursor);
        _text.Length = Cursor;
    }

    public void CutToStart()
    {
        _cut = _text.ToString(0, Cursor);
        _text.Remove(0, Cursor);
        Cursor = 0;
    }

    public void CutWord()
    {
        var end = Cursor;
        while (Cursor > 0 && char.IsWhiteSpace(_text[Cursor - 1])) Cursor--;
        while (Cursor > 0 && !char.IsWhiteSpace(_text[Cursor - 1])) Cursor--;
        _cut = _text.ToString(Cursor, end - Cursor);
        _text.Remove(Cursor, end - Cursor);
    }

    public void Paste() => Insert(_cut);

    // A character beyond the first plane is two in the text.
    private int LengthBefore() => Cursor == 0 ? 0 : Cursor > 1 && char.IsLowSurrogate(_text[Cursor - 1]) ? 2 : 1;

    private int LengthBehind() => Cursor == _text.Length ? 0 : Cursor + 1 < _text.Length && char.IsHighSurrogate(_text[Cursor]) ? 2 : 1;
}
