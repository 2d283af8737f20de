using System.Collections.Immutable;

namespace ReplicatedSqlite.Cluster;

/// <summary>The tokens as etcd has them, in memory. Safe for use by any thread.</summary>
internal sealed class TokenMirror
{
    private const int RememberedRemovals = 1000; // the watch is never so far behind

    private readonly Lock _changing = new();
    private readonly Queue<string> _removals = new(); // under _changing
    private readonly HashSet<string> _removed = new(StringComparer.Ordinal); // under _changing; the same ids
    private bool _isUnsaved; // under _changing
    private ImmutableDictionary<string, TokenRecord> _tokens = ImmutableDictionary.Create<string, TokenRecord>(StringComparer.Ordinal); // written under _changing; read by any thread

    public ImmutableDictionary<string, TokenRecord> Tokens => Volatile.Read(ref _tokens);

    /// <summary>Takes all tokens of one moment; what is not among them is gone.</summary>
    public void Load(IEnumerable<TokenRecord> tokens)
    {
        lock (_changing)
        {
            _removals.Clear();
            _removed.Clear();
            Set(tokens.ToImmutableDictionary(static token => token.Id, StringComparer.Ordinal));
        }
    }

    /// <summary>Adds a token, unless it was removed: news of its creation may come after that, and an id is never used again.</summary>
    public void Put(TokenRecord token)
    {
        lock (_changing)
        {
            if (!_removed.Contains(token.Id) && !_tokens.ContainsKey(token.Id))
            {
                Set(_tokens.Add(token.Id, token));
            }
        }
    }

    public void Remove(string id)
    {
        lock (_changing)
        {
            if (_removed.Add(id))
            {
                _removals.Enqueue(id);
                if (_removals.Count > RememberedRemovals)
                {
                    _removed.Remove(_removals.Dequeue());
                }
            }

            Set(_tokens.Remove(id));
        }
    }

    /// <summary>All tokens, if they are others than when it was asked last.</summary>
    public IReadOnlyCollection<TokenRecord>? DrainUnsaved()
    {
        lock (_changing)
        {
            var isUnsaved = _isUnsaved;
            _isUnsaved = false;
            return isUnsaved ? [.. _tokens.Values] : null;
        }
    }

    /// <summary>They could not be written down.</summary>
    public void MarkUnsaved()
    {
        lock (_changing)
        {
            _isUnsaved = true;
        }
    }

    private void Set(ImmutableDictionary<string, TokenRecord> tokens)
    {
        if (!ReferenceEquals(tokens, _tokens))
        {
            Volatile.Write(ref _tokens, tokens);
            _isUnsaved = true;
        }
    }
}
