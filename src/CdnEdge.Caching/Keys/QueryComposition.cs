using System.Buffers;

namespace CdnEdge.Caching;

/// <summary>The part of a key that a query makes when the policy chooses among its parameters or sorts them.</summary>
internal static class QueryComposition
{
    private const int ParametersOnStack = 32;

    /// <summary>
    /// Appends the parameters that belong to the key, as they were sent, joined by <c>&amp;</c> after a <c>?</c>.
    /// </summary>
    internal static void Append(ref KeyComposer key, string? query, KeyPlan plan)
    {
        if (string.IsNullOrEmpty(query))
            return;

        var text = query.AsSpan(1);
        var most = text.Count('&') + 1;
        Parameter[]? rented = null;
        var kept = most <= ParametersOnStack
            ? stackalloc Parameter[ParametersOnStack]
            : (rented = ArrayPool<Parameter>.Shared.Rent(most));
        var count = 0;
        foreach (var segment in text.Split('&'))
        {
            var parameter = Parameter.Of(text, segment, count);
            if (Keeps(plan, text, parameter))
                kept[count++] = parameter;
        }

        kept = kept[..count];
        if (plan.SortsQuery)
            kept.Sort(new ByName(query));

        for (var i = 0; i < kept.Length; i++)
        {
            key.Append((byte)(i == 0 ? '?' : '&'));
            key.Append(kept[i].Pair(text));
        }

        if (rented is not null)
            ArrayPool<Parameter>.Shared.Return(rented);
    }

    /// <summary>
    /// Some origins take <c>;</c> for a separator too: a pair that holds one may be several of theirs, of which only the
    /// first was named here. It stays in the key whatever its name, or the rest could poison the cache unseen.
    /// </summary>
    private static bool Keeps(KeyPlan plan, ReadOnlySpan<char> text, in Parameter parameter) =>
        plan.KeepsParameter(parameter.Name(text)) || (plan.FiltersQuery && parameter.Pair(text).Contains(';'));

    private readonly record struct Parameter(int Start, int NameLength, int Length, int Position)
    {
        internal static Parameter Of(ReadOnlySpan<char> text, Range segment, int position)
        {
            var (start, length) = segment.GetOffsetAndLength(text.Length);
            var equals = text.Slice(start, length).IndexOf('=');
            return new Parameter(start, equals < 0 ? length : equals, length, position);
        }

        internal ReadOnlySpan<char> Name(ReadOnlySpan<char> text) => text.Slice(Start, NameLength);
        internal ReadOnlySpan<char> Pair(ReadOnlySpan<char> text) => text.Slice(Start, Length);
    }

    /// <summary>By decoded name; parameters of one name keep their order, which many origins heed.</summary>
    private readonly struct ByName(string query) : IComparer<Parameter>
    {
        public int Compare(Parameter x, Parameter y)
        {
            var text = query.AsSpan(1);
            var byName = PercentEncoding.CompareDecoded(x.Name(text), y.Name(text));
            return byName != 0 ? byName : x.Position.CompareTo(y.Position);
        }
    }
}
