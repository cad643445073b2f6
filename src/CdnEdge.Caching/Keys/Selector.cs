using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace CdnEdge.Caching;

/// <summary>
/// One selecting value of a stored response: what the request that fetched it had there, normalised, and for the fields
/// that are negotiated what the origin made of it.
/// </summary>
internal readonly struct Selector
{
    private readonly SelectorName _name;

    /// <summary>Null: absent, which matches only absent (RFC 9111 §4.1), or held in <see cref="_codings"/>.</summary>
    private readonly string? _text;

    /// <summary>The response's language; null where unknown.</summary>
    private readonly string? _language;

    private readonly AcceptedCodings _codings;

    /// <summary>The response's coding.</summary>
    private readonly sbyte _coding;

    internal Selector(SelectorName name, IHeaderDictionary requestHeaders, IHeaderDictionary responseHeaders)
    {
        _name = name;
        if (name.Kind == SelectorKind.Codings)
        {
            _coding = (sbyte)AcceptedCodings.CodingOf(responseHeaders.ContentEncoding);
            if (AcceptedCodings.TryParse(requestHeaders.AcceptEncoding, out _codings))
                return;
        }
        else if (name.Kind == SelectorKind.Languages)
        {
            _language = AcceptedLanguages.LanguageOf(responseHeaders.ContentLanguage);
        }

        var text = new CharBuffer(stackalloc char[CharBuffer.OnStack]);
        if (TryAppendValue(name, requestHeaders, ref text))
            _text = text.ToString();
        text.Dispose();
    }

    private Selector(ref RecordReader from)
    {
        _name = SelectorName.Read(ref from);
        _text = from.OptionalText();
        _language = from.OptionalText();
        _codings = new AcceptedCodings((uint)from.Int32(), from.Flag());
        _coding = (sbyte)from.Byte();
        // Negotiated values only where they're negotiated, and one of the two at a time, as the other constructor has it.
        if ((_name.Kind != SelectorKind.Codings && (_codings != default || _coding != 0))
            || (_name.Kind != SelectorKind.Languages && _language is not null)
            || (_codings != default && _text is not null)
            || !AcceptedCodings.IsCoding(_coding))
        {
            from.Spoil();
        }
    }

    internal SelectorName Name => _name;

    /// <summary>Whether it's what a visitor shows of himself, and he showed it.</summary>
    internal bool IsCredential =>
        _text is not null
        && (_name.Kind == SelectorKind.Cookies || (_name.Kind == SelectorKind.Field && _name.Name == HeaderNames.Authorization));

    /// <summary>As bytes, for <see cref="Read"/>.</summary>
    internal void Write(RecordWriter to)
    {
        _name.Write(to);
        to.OptionalText(_text);
        to.OptionalText(_language);
        to.Int32((int)_codings.Ranks);
        to.Byte(_codings.IsAbsent ? (byte)1 : (byte)0);
        to.Byte((byte)_coding);
    }

    internal static Selector Read(ref RecordReader from) => new(ref from);

    /// <summary>Managed memory beyond the value itself, in bytes.</summary>
    internal int ManagedBytes => StringBytes(_text) + StringBytes(_language) + (_name.IsWellKnown ? 0 : StringBytes(_name.Name));

    /// <summary>Whether this is what the request has there, or the origin would choose the same for it.</summary>
    internal bool Matches(IHeaderDictionary requestHeaders)
    {
        if (_name.Kind == SelectorKind.Codings && AcceptedCodings.TryParse(requestHeaders.AcceptEncoding, out var codings))
            return codings == _codings || (IsReduced && _codings.Selects(_coding, codings));
        if (IsReduced)
            return false;

        // The common case of one line that is normal already.
        if (_name.Kind == SelectorKind.Field && ValueOf(requestHeaders) is { Count: 1 } line && string.Equals(line[0], _text, StringComparison.Ordinal))
            return true;

        var text = new CharBuffer(stackalloc char[CharBuffer.OnStack]);
        var matches = TryAppendValue(_name, requestHeaders, ref text) ? MatchesText(text.Text) : _text is null;
        text.Dispose();
        return matches;
    }

    /// <summary>
    /// Whether this answers every request that <paramref name="older"/>, a selector of the same name, answers: it has the
    /// same selecting value, or the origin's choice is the same and was made from no fewer offers.
    /// </summary>
    internal bool Covers(in Selector older)
    {
        if (IsReduced && older.IsReduced)
            return _codings == older._codings || (_coding == older._coding && _codings.Selects(_coding, older._codings));
        if (IsReduced || older.IsReduced)
            return false;
        if (string.Equals(_text, older._text, StringComparison.Ordinal))
            return true;

        return _language is not null
            && string.Equals(_language, older._language, StringComparison.Ordinal)
            && _text is not null && older._text is not null && IsLanguageList(_text) && IsLanguageList(older._text)
            && AcceptedLanguages.SelectsAllOf(older._text, _language, _text);
    }

    /// <summary>Appends the name and normalised value that a request has, so that no two different ones look alike.</summary>
    internal static void AppendKey(SelectorName name, IHeaderDictionary requestHeaders, ref CharBuffer buffer)
    {
        buffer.Append(name.Kind == SelectorKind.Cookie ? "cookie " : "field ");
        buffer.Append(name.Name);
        if (name.Kind == SelectorKind.Codings && AcceptedCodings.TryParse(requestHeaders.AcceptEncoding, out var codings))
        {
            AppendNumber(codings.IsAbsent ? "~" : "#", (int)codings.Ranks, ref buffer);
            buffer.Append('\n');
            return;
        }

        var text = new CharBuffer(stackalloc char[CharBuffer.OnStack]);
        if (TryAppendValue(name, requestHeaders, ref text))
        {
            AppendNumber("=", text.Length, ref buffer);
            buffer.Append(':');
            buffer.Append(text.Text);
        }

        buffer.Append('\n');
        text.Dispose();
    }

    private bool IsReduced => _codings != default;

    private bool MatchesText(ReadOnlySpan<char> presented)
    {
        if (_text is null)
            return false;
        if (presented.SequenceEqual(_text))
            return true;

        return _language is not null
            && IsLanguageList(_text) && IsLanguageList(presented)
            && AcceptedLanguages.Selects(_text, _language, presented);
    }

    private StringValues ValueOf(IHeaderDictionary requestHeaders) => requestHeaders.TryGetValue(_name.Name, out var value) ? value : default;

    /// <summary>False where the request has nothing by that name.</summary>
    private static bool TryAppendValue(SelectorName name, IHeaderDictionary requestHeaders, ref CharBuffer buffer)
    {
        if (name.Kind == SelectorKind.Cookie)
            return FieldNormalisation.TryAppendCookie(requestHeaders.Cookie, name.Name, ref buffer);
        if (!requestHeaders.TryGetValue(name.Name, out var lines) || lines.Count == 0)
            return false;

        switch (name.Kind)
        {
            case SelectorKind.Cookies:
                FieldNormalisation.AppendCookies(lines, ref buffer);
                break;
            case SelectorKind.Languages when AcceptedLanguages.TryAppend(lines, ref buffer):
                break;
            case SelectorKind.Languages:
                // Marked, so that a field which is no list is never taken for one.
                buffer.Append(NoList);
                FieldNormalisation.Append(lines, ref buffer);
                break;
            default:
                FieldNormalisation.Append(lines, ref buffer);
                break;
        }

        return true;
    }

    private const char NoList = '"';

    private static bool IsLanguageList(ReadOnlySpan<char> text) => text is not [NoList, ..];

    private static void AppendNumber(string prefix, int number, ref CharBuffer buffer)
    {
        buffer.Append(prefix);
        Span<char> digits = stackalloc char[11];
        number.TryFormat(digits, out var written, provider: CultureInfo.InvariantCulture);
        buffer.Append(digits[..written]);
    }

    private static int StringBytes(string? text) => text is null ? 0 : (22 + 2 * text.Length + 7) & ~7;
}
