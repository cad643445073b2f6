using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>
/// Walks the directives of Cache-Control (RFC 9111 §5.2) without allocating: every line in order, token and quoted
/// arguments alike.
/// </summary>
/// <remarks>
/// It never gives up on a line: a directive with odd syntax is reported as <see cref="IsMalformed"/> and the next one
/// read, since a <c>no-store</c> behind a typing mistake is still meant. A quotation mark without a partner is an
/// ordinary character for the same reason.
/// </remarks>
internal ref struct CacheControlReader
{
    private readonly StringValues _lines;
    private int _nextLine;
    private ReadOnlySpan<char> _rest;
    private bool _isUnbalanced;

    internal CacheControlReader(StringValues lines)
    {
        _lines = lines;
    }

    /// <summary>The directive's name as sent; compare ignoring case.</summary>
    internal ReadOnlySpan<char> Name { get; private set; }

    /// <summary>Whether there is an argument (which may be empty, or malformed).</summary>
    internal bool HasArgument { get; private set; }

    /// <summary>The argument without its quotation marks; backslashes are left as they are.</summary>
    internal ReadOnlySpan<char> Argument { get; private set; }

    /// <summary>White space around <c>=</c>, text after the argument, or an unbalanced quotation mark.</summary>
    internal bool IsMalformed { get; private set; }

    internal readonly bool Is(string name) => Name.Equals(name, StringComparison.OrdinalIgnoreCase);

    /// <summary>The argument as delta-seconds; false where it's absent or isn't one.</summary>
    internal readonly bool TryGetSeconds(out long seconds)
    {
        seconds = 0;
        return HasArgument && !IsMalformed && DeltaSeconds.TryParse(Argument, out seconds);
    }

    internal bool MoveNext()
    {
        while (true)
        {
            _rest = _rest.TrimStart(" \t,");
            if (_rest.IsEmpty)
            {
                if (_nextLine >= _lines.Count)
                    return false;
                _rest = _lines[_nextLine++];
                _isUnbalanced = false;
                continue;
            }

            ReadDirective();
            if (!Name.IsEmpty)
                return true;
        }
    }

    private void ReadDirective()
    {
        HasArgument = false;
        Argument = default;
        IsMalformed = false;

        var end = _rest.IndexOfAny(" \t,=\"");
        if (end < 0)
            end = _rest.Length;
        Name = _rest[..end];
        _rest = _rest[end..];

        SkipSpace();
        if (!_rest.IsEmpty && _rest[0] == '=')
        {
            HasArgument = true;
            _rest = _rest[1..];
            SkipSpace();
            ReadArgument();
        }

        // What is left before the comma has no business there.
        SkipSpace();
        if (_rest.IsEmpty || _rest[0] == ',')
            return;
        IsMalformed = true;
        while (!_rest.IsEmpty && _rest[0] != ',')
        {
            var quoted = _rest[0] == '"' ? ClosingQuote() : -1;
            _rest = _rest[(quoted < 0 ? 1 : quoted + 1)..];
        }
    }

    private void ReadArgument()
    {
        if (!_rest.IsEmpty && _rest[0] == '"')
        {
            var close = ClosingQuote();
            if (close >= 0)
            {
                Argument = _rest[1..close];
                _rest = _rest[(close + 1)..];
                return;
            }

            IsMalformed = true;
        }

        var end = _rest.IndexOfAny(" \t,");
        if (end < 0)
            end = _rest.Length;
        Argument = _rest[..end];
        _rest = _rest[end..];
    }

    /// <summary>
    /// Of the mark that the rest begins with. Behind one without a partner all others of the line stand behind a backslash, so
    /// that none of them has one either: looked for each time, they'd cost the square of the line's length.
    /// </summary>
    private int ClosingQuote()
    {
        var close = _isUnbalanced ? -1 : QuotedString.ClosingQuote(_rest);
        _isUnbalanced = close < 0;
        return close;
    }

    private void SkipSpace()
    {
        var before = _rest.Length;
        _rest = _rest.TrimStart(" \t");
        // Space is only good before a comma or the end.
        if (_rest.Length != before && !_rest.IsEmpty && _rest[0] != ',')
            IsMalformed = true;
    }
}
