using System.Buffers;

namespace CdnEdge.Caching;

/// <summary>Text under construction, on the stack until it outgrows it. Not copied: passed by reference, disposed once.</summary>
internal ref struct CharBuffer(Span<char> initial)
{
    /// <summary>A size for the stack that normalised fields rarely outgrow.</summary>
    internal const int OnStack = 256;

    private Span<char> _chars = initial;
    private char[]? _rented;

    internal int Length { readonly get; private set; }

    internal readonly ReadOnlySpan<char> Text => _chars[..Length];

    internal void Append(char value)
    {
        if (Length == _chars.Length)
            Grow(1);
        _chars[Length++] = value;
    }

    internal void Append(scoped ReadOnlySpan<char> text)
    {
        if (_chars.Length - Length < text.Length)
            Grow(text.Length);
        text.CopyTo(_chars[Length..]);
        Length += text.Length;
    }

    /// <summary>Letters A to Z become a to z.</summary>
    internal void AppendLower(scoped ReadOnlySpan<char> text)
    {
        foreach (var c in text)
            Append(char.IsAsciiLetterUpper(c) ? (char)(c | 0x20) : c);
    }

    /// <summary>Takes back what was appended after <paramref name="length"/>.</summary>
    internal void TruncateTo(int length) => Length = length;

    public override readonly string ToString() => Text.ToString();

    internal void Dispose()
    {
        if (_rented is not null)
            ArrayPool<char>.Shared.Return(_rented);
        this = default;
    }

    private void Grow(int more)
    {
        var larger = ArrayPool<char>.Shared.Rent(Math.Max(Length + more, _chars.Length * 2));
        Text.CopyTo(larger);
        if (_rented is not null)
            ArrayPool<char>.Shared.Return(_rented);
        _chars = _rented = larger;
    }
}
