using System.Globalization;
using System.Text;

namespace CdnEdge.Caching;

/// <summary>
/// Reads structured fields by the algorithms of RFC 9651 §4.2: any deviation fails, nothing is guessed.
/// </summary>
internal ref struct SfParser
{
    private readonly ReadOnlySpan<char> _text;
    private int _at;

    internal SfParser(ReadOnlySpan<char> text)
    {
        _text = text.Trim(' ');
    }

    private readonly bool AtEnd => _at >= _text.Length;
    private readonly char Current => _at < _text.Length ? _text[_at] : '\0';

    /// <summary>§4.2.2; a member given twice keeps its last value. An empty dictionary is a valid one.</summary>
    internal bool TryDictionary(Dictionary<string, SfItem> members)
    {
        while (!AtEnd)
        {
            if (!TryKey(out var key))
                return false;
            SfItem value;
            if (TryTake('='))
            {
                if (!TryItemOrInnerList(out value))
                    return false;
            }
            else
            {
                value = SfItem.True;
                if (!TrySkipParameters())
                    return false;
            }

            members[key] = value;
            if (!TryEndMember())
                return false;
        }

        return true;
    }

    /// <summary>§4.2.1. An empty list is a valid one.</summary>
    internal bool TryList(List<SfItem> members)
    {
        while (!AtEnd)
        {
            if (!TryItemOrInnerList(out var member))
                return false;
            members.Add(member);
            if (!TryEndMember())
                return false;
        }

        return true;
    }

    /// <summary>What stands between two members, or the end: no comma without a member after it.</summary>
    private bool TryEndMember()
    {
        SkipOws();
        if (AtEnd)
            return true;
        if (!TryTake(','))
            return false;
        SkipOws();
        return !AtEnd;
    }

    /// <summary>§4.2.3: one item and nothing else.</summary>
    internal bool TryItem(out SfItem item) => TryBareItem(out item) && TrySkipParameters() && AtEnd;

    private bool TryItemOrInnerList(out SfItem item)
    {
        if (!TryTake('('))
            return TryBareItem(out item) && TrySkipParameters();

        item = default;
        var count = 0;
        while (!AtEnd)
        {
            SkipSpaces();
            if (TryTake(')'))
            {
                item = new SfItem(SfKind.InnerList, count, null);
                return TrySkipParameters();
            }

            if (!TryBareItem(out _) || !TrySkipParameters())
                return false;
            count++;
            if (Current is not (' ' or ')'))
                return false;
        }

        return false;
    }

    private bool TrySkipParameters()
    {
        while (TryTake(';'))
        {
            SkipSpaces();
            if (!TryKey(out _))
                return false;
            if (TryTake('=') && !TryBareItem(out _))
                return false;
        }

        return true;
    }

    private bool TryKey(out string key)
    {
        key = "";
        if (!char.IsAsciiLetterLower(Current) && Current != '*')
            return false;
        var start = _at;
        while (!AtEnd && (char.IsAsciiLetterLower(Current) || char.IsAsciiDigit(Current) || Current is '_' or '-' or '.' or '*'))
            _at++;
        key = _text[start.._at].ToString();
        return true;
    }

    private bool TryBareItem(out SfItem item)
    {
        item = default;
        switch (Current)
        {
            case '-' or (>= '0' and <= '9'):
                return TryNumber(out item);
            case '"':
                return TryString(out item);
            case '*' or (>= 'a' and <= 'z') or (>= 'A' and <= 'Z'):
                var start = _at;
                while (!AtEnd && (Current is ':' or '/' || Token.IsToken(_text.Slice(_at, 1))))
                    _at++;
                item = new SfItem(SfKind.Token, 0, _text[start.._at].ToString());
                return true;
            case ':':
                return TryByteSequence(out item);
            case '?':
                _at++;
                if (Current is not ('0' or '1'))
                    return false;
                item = new SfItem(SfKind.Boolean, Current - '0', null);
                _at++;
                return true;
            case '@':
                _at++;
                if (!TryNumber(out item) || item.Kind != SfKind.Integer)
                    return false;
                item = item with { Kind = SfKind.Date };
                return true;
            case '%':
                return TryDisplayString(out item);
            default:
                return false;
        }
    }

    /// <summary>At most 15 digits, or 12 and 3 around a point.</summary>
    private bool TryNumber(out SfItem item)
    {
        item = default;
        var negative = TryTake('-');
        var start = _at;
        while (char.IsAsciiDigit(Current))
            _at++;
        var whole = _text[start.._at];
        var isDecimal = !whole.IsEmpty && TryTake('.');
        if (whole.IsEmpty || whole.Length > (isDecimal ? 12 : 15))
            return false;
        var number = long.Parse(whole, NumberStyles.None, CultureInfo.InvariantCulture);
        if (isDecimal)
        {
            start = _at;
            while (char.IsAsciiDigit(Current))
                _at++;
            var digits = _at - start;
            if (digits is 0 or > 3)
                return false;
            for (var i = 0; i < 3; i++)
                number = number * 10 + (i < digits ? _text[start + i] - '0' : 0);
        }

        item = new SfItem(isDecimal ? SfKind.Decimal : SfKind.Integer, negative ? -number : number, null);
        return true;
    }

    private bool TryString(out SfItem item)
    {
        item = default;
        var text = new StringBuilder();
        for (_at++; !AtEnd; _at++)
        {
            var c = Current;
            if (c == '"')
            {
                _at++;
                item = new SfItem(SfKind.String, 0, text.ToString());
                return true;
            }

            if (c == '\\')
            {
                _at++;
                c = Current;
                if (c is not ('"' or '\\'))
                    return false;
            }

            if (c is < ' ' or > '~')
                return false;
            text.Append(c);
        }

        return false;
    }

    private bool TryByteSequence(out SfItem item)
    {
        item = default;
        var length = _text[(_at + 1)..].IndexOf(':');
        if (length < 0)
            return false;
        var content = _text.Slice(_at + 1, length);
        foreach (var c in content)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '/' or '='))
                return false;
        }

        _at += length + 2;
        item = new SfItem(SfKind.ByteSequence, 0, content.ToString());
        return true;
    }

    /// <summary>%"...": UTF-8 in lower-case percent-encoding.</summary>
    private bool TryDisplayString(out SfItem item)
    {
        item = default;
        _at++;
        if (!TryTake('"'))
            return false;
        var bytes = new List<byte>();
        for (; !AtEnd; _at++)
        {
            var c = Current;
            if (c == '"')
            {
                _at++;
                try
                {
                    item = new SfItem(SfKind.DisplayString, 0, StrictUtf8.GetString(bytes.ToArray()));
                    return true;
                }
                catch (DecoderFallbackException)
                {
                    return false; // not UTF-8: §4.2.10 says fail
                }
            }

            if (c is < ' ' or > '~')
                return false;
            if (c != '%')
            {
                bytes.Add((byte)c);
                continue;
            }

            if (_at + 2 >= _text.Length || !IsLowerHex(_text[_at + 1]) || !IsLowerHex(_text[_at + 2]))
                return false;
            bytes.Add((byte)(HexValue(_text[_at + 1]) * 16 + HexValue(_text[_at + 2])));
            _at += 2;
        }

        return false;
    }

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static bool IsLowerHex(char c) => c is (>= '0' and <= '9') or (>= 'a' and <= 'f');

    private static int HexValue(char c) => c <= '9' ? c - '0' : c - 'a' + 10;

    private bool TryTake(char c)
    {
        if (Current != c || AtEnd)
            return false;
        _at++;
        return true;
    }

    private void SkipSpaces()
    {
        while (Current == ' ')
            _at++;
    }

    private void SkipOws()
    {
        while (Current is ' ' or '\t')
            _at++;
    }
}
