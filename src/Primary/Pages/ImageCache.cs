namespace ReplicatedSqlite.Primary;

/// <summary>The last images of the pages that were written most recently: what patches are made against. Bounded; the least used go first (clock).</summary>
/// <remarks>Belongs to one activation and to the writer's turns.</remarks>
internal sealed class ImageCache(ImageBudget budget)
{
    private readonly Dictionary<uint, int> _slots = []; // page number to its place in the list
    private readonly List<CachedImage> _images = [];
    private int _hand;
    private int _pageSizeBytes;

    /// <summary>Images.</summary>
    public int Count => _images.Count;

    private long Bytes => (long)_images.Count * _pageSizeBytes;

    /// <summary>Whether that many pages would fit, if all others went.</summary>
    public bool HasRoomFor(int pages, int pageSizeBytes) => (long)pages * pageSizeBytes <= budget.ShareBytes;

    /// <summary>The image of a page.</summary>
    public CachedImage? Find(uint pageNumber)
    {
        if (!_slots.TryGetValue(pageNumber, out var slot))
        {
            return null;
        }

        _images[slot].IsUsed = true;
        return _images[slot];
    }

    /// <summary>Takes the image of a page that is not here; another may have to go. Without any room nothing is done.</summary>
    public void Add(uint pageNumber, ReadOnlySpan<byte> image, uint checksum)
    {
        _pageSizeBytes = image.Length;
        if (Bytes + image.Length <= budget.ShareBytes && budget.TryTake(image.Length))
        {
            if (_images.Count == 0)
            {
                budget.Enter();
            }

            _slots[pageNumber] = _images.Count;
            _images.Add(new CachedImage(pageNumber, image.Length));
            _images[^1].Set(image, checksum);
        }
        else if (_images.Count > 0)
        {
            var slot = FindVictim();
            var victim = _images[slot];
            _slots.Remove(victim.PageNumber);
            _slots[pageNumber] = slot;
            victim.PageNumber = pageNumber;
            victim.Set(image, checksum);
        }
    }

    /// <summary>Gives back what is above this cache's share.</summary>
    public void Trim()
    {
        while (_images.Count > 0 && Bytes > budget.ShareBytes)
        {
            RemoveAt(FindVictim());
        }
    }

    /// <summary>The database ends here: pages beyond have no image any more.</summary>
    public void CutTo(uint sizePages)
    {
        for (var slot = _images.Count - 1; slot >= 0; slot--)
        {
            if (_images[slot].PageNumber > sizePages)
            {
                RemoveAt(slot);
            }
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        if (_images.Count > 0)
        {
            budget.Return(Bytes);
            budget.Leave();
        }

        _images.Clear();
        _slots.Clear();
        _hand = 0;
    }

    private int FindVictim()
    {
        // Twice around at the most: the first time clears every mark.
        while (true)
        {
            _hand = _hand < _images.Count ? _hand : 0;
            var image = _images[_hand];
            if (!image.IsUsed)
            {
                return _hand++;
            }

            image.IsUsed = false;
            _hand++;
        }
    }

    // The last one takes its place, so that the list has no holes.
    private void RemoveAt(int slot)
    {
        _slots.Remove(_images[slot].PageNumber);
        var last = _images[^1];
        if (last != _images[slot])
        {
            _images[slot] = last;
            _slots[last.PageNumber] = slot;
        }

        _images.RemoveAt(_images.Count - 1);
        budget.Return(_pageSizeBytes);
        if (_images.Count == 0)
        {
            budget.Leave();
        }
    }
}
