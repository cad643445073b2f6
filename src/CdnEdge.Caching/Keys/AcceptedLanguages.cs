using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>
/// What an Accept-Language comes to (RFC 9110 §12.5.4), in a canonical text: lower-case ranges, best first; <c>,</c> stands
/// between equally welcome ones (sorted) and <c>;</c> before less welcome ones; refused ones (<c>q=0</c>) come last, after
/// <c>!</c>. So <c>fr;q=0.5, en, DE, it;q=0</c> is <c>de,en;fr!it</c>.
/// </summary>
internal static class AcceptedLanguages
{
    private const int MostRanges = 32;

    /// <summary>False, with nothing appended, for what isn't a plain list of weighted ranges.</summary>
    internal static bool TryAppend(StringValues lines, ref CharBuffer buffer)
    {
        Span<Member> members = stackalloc Member[MostRanges];
        var count = 0;
        var list = new WeightedList(lines);
        while (list.MoveNext())
        {
            if (count == MostRanges || !IsRange(list.Value))
                return false;
            members[count++] = new Member(list.Line, list.Start, list.Value.Length, list.Weight);
        }

        if (list.IsMalformed)
            return false;

        members = members[..count];
        SortBestFirst(lines, members);
        var start = buffer.Length;
        for (var i = 0; i < count; i++)
        {
            var sameWeight = i > 0 && members[i].Weight == members[i - 1].Weight;
            if (sameWeight && CompareTags(lines, members[i], members[i - 1]) == 0)
                continue;
            if (!sameWeight && members[i].Weight == 0)
                buffer.Append('!');
            else if (i > 0)
                buffer.Append(sameWeight ? ',' : ';');
            buffer.AppendLower(members[i].In(lines));
        }

        if (!HasDuplicate(lines, members))
            return true;

        buffer.TruncateTo(start);
        return false;
    }

    /// <summary>The language of a response: its Content-Language, lower-case, where that names just one; else null.</summary>
    internal static string? LanguageOf(StringValues contentLanguage) =>
        contentLanguage.Count == 1 && contentLanguage[0].AsSpan().Trim(" \t") is var tag && IsRange(tag) && tag is not "*"
            ? tag.ToString().ToLowerInvariant()
            : null;

    /// <summary>
    /// Whether a response in <paramref name="language"/>, chosen for <paramref name="stored"/>, also is the choice for
    /// <paramref name="presented"/> (both canonical): either it's the one language that is wanted most, or nothing is asked
    /// for that wasn't then, the preferences don't contradict, and the language is acceptable.
    /// </summary>
    internal static bool Selects(ReadOnlySpan<char> stored, string language, ReadOnlySpan<char> presented)
    {
        Cut(presented, '!', out var wanted, out _);
        Cut(wanted, ';', out var best, out _);
        return best.SequenceEqual(language) || IsNarrowed(stored, language, presented);
    }

    /// <summary>
    /// Whether a response in <paramref name="language"/>, chosen for <paramref name="newer"/>, is the choice for everything that one
    /// chosen for <paramref name="older"/> is the choice for.
    /// </summary>
    internal static bool SelectsAllOf(ReadOnlySpan<char> older, string language, ReadOnlySpan<char> newer)
    {
        // de-at;de also answers who asks for de alone, who doesn't want de-at most: that must have been offered now, too.
        Cut(older, '!', out var wanted, out _);
        Cut(wanted, ';', out var best, out var others);
        return (best.SequenceEqual(language) && !Accepts(others, language)) || IsNarrowed(newer, language, older);
    }

    /// <summary>Whether nothing is asked for that wasn't then, the preferences don't contradict, and the language is acceptable.</summary>
    private static bool IsNarrowed(ReadOnlySpan<char> stored, string language, ReadOnlySpan<char> presented)
    {
        Cut(presented, '!', out var wanted, out var refused);
        Cut(stored, '!', out var offered, out _);
        return IsWithin(wanted, offered) && Accepts(wanted, language) && !Accepts(refused, language);
    }

    /// <summary>Whether every range of <paramref name="wanted"/> is in <paramref name="offered"/>, ordered as there.</summary>
    private static bool IsWithin(ReadOnlySpan<char> wanted, ReadOnlySpan<char> offered)
    {
        var previous = -1;
        foreach (var classRange in wanted.Split(';'))
        {
            var current = -1;
            foreach (var range in wanted[classRange].Split(','))
            {
                var position = ClassOf(wanted[classRange][range], offered);
                if (position <= previous || (current >= 0 && position != current))
                    return false;
                current = position;
            }

            previous = current;
        }

        return true;
    }

    private static int ClassOf(ReadOnlySpan<char> tag, ReadOnlySpan<char> classes)
    {
        var position = 0;
        foreach (var classRange in classes.Split(';'))
        {
            foreach (var range in classes[classRange].Split(','))
            {
                if (classes[classRange][range].SequenceEqual(tag))
                    return position;
            }

            position++;
        }

        return -1;
    }

    /// <summary>Basic filtering (RFC 4647 §3.3.1): a range matches its own tag and those that extend it.</summary>
    private static bool Accepts(ReadOnlySpan<char> ranges, ReadOnlySpan<char> language)
    {
        foreach (var part in ranges.SplitAny(',', ';'))
        {
            var range = ranges[part];
            if (!range.IsEmpty && language.StartsWith(range, StringComparison.Ordinal)
                && (language.Length == range.Length || language[range.Length] == '-'))
            {
                return true;
            }
        }

        return false;
    }

    private static void Cut(ReadOnlySpan<char> text, char separator, out ReadOnlySpan<char> before, out ReadOnlySpan<char> after)
    {
        var position = text.IndexOf(separator);
        before = position < 0 ? text : text[..position];
        after = position < 0 ? default : text[(position + 1)..];
    }

    /// <summary>By insertion: they're few, and Span.Sort would box its comparer.</summary>
    private static void SortBestFirst(StringValues lines, Span<Member> members)
    {
        for (var i = 1; i < members.Length; i++)
        {
            var member = members[i];
            var j = i;
            for (; j > 0 && Compare(lines, members[j - 1], member) > 0; j--)
                members[j] = members[j - 1];
            members[j] = member;
        }
    }

    private static int Compare(StringValues lines, in Member x, in Member y) =>
        x.Weight != y.Weight ? y.Weight.CompareTo(x.Weight) : CompareTags(lines, x, y);

    private static int CompareTags(StringValues lines, in Member x, in Member y) =>
        x.In(lines).CompareTo(y.In(lines), StringComparison.OrdinalIgnoreCase);

    private static bool HasDuplicate(StringValues lines, ReadOnlySpan<Member> members)
    {
        for (var i = 1; i < members.Length; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if (members[i].Weight != members[j].Weight && CompareTags(lines, members[i], members[j]) == 0)
                    return true;
            }
        }

        return false;
    }

    private static bool IsRange(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '*'))
                return false;
        }

        return !text.IsEmpty;
    }

    private readonly record struct Member(int Line, int Start, int Length, int Weight)
    {
        internal ReadOnlySpan<char> In(StringValues lines) => lines[Line].AsSpan(Start, Length);
    }
}
